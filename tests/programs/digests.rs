//! Digests, checksums and base64 beside Python's.

use mongoose::{base64, digest};

use crate::peers::{python_has, run};

/// Prints random bytes of every length up to 300, and what Python makes of them.
const SCRIPT: &str = "
import base64, hashlib, hmac, random, zlib
random.seed(6)
for length in range(301):
    data = random.randbytes(length)
    names = ('md5', 'sha1', 'sha256', 'sha384')
    print(data.hex() or '-', *(hashlib.new(name, data).hexdigest() for name in names),
          hmac.new(data[::-1], data, 'sha256').hexdigest(), '%08x' % zlib.crc32(data),
          base64.b64encode(data).decode() or '-', base64.urlsafe_b64encode(data).decode().rstrip('=') or '-')
";

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).expect("hexadecimal")).collect()
}

#[test]
fn digests_checksums_and_base64_are_those_of_python() {
    if !python_has("hashlib", "hashlib") {
        return;
    }
    let said = run("python3", &["-c", SCRIPT]);
    assert_eq!(said.lines().count(), 301);
    for line in said.lines() {
        let columns: Vec<&str> =
            line.split(' ').map(|column| if column == "-" { "" } else { column }).collect();
        let data = from_hex(columns[0]);
        let key: Vec<u8> = data.iter().rev().copied().collect();
        let ours = [
            hex(digest::md5(&data)),
            hex(digest::sha1(&data)),
            hex(digest::sha256(&data)),
            hex(digest::sha384(&data)),
            hex(digest::hmac_sha256(&key, &data)),
            format!("{:08x}", digest::crc32(&data)),
            base64::encode(&data),
            base64::encode_url(&data),
        ];
        assert_eq!(ours[..], columns[1..]);
        assert_eq!(base64::decode(columns[7]).expect("Python's"), data);
        assert_eq!(base64::decode_url(columns[8]).expect("Python's"), data);
    }
}
