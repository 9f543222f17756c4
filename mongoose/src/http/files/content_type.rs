//! What kind of file has which name.

/// What a file is by its name's extension; bytes of no known kind when that says nothing. Text is taken to be UTF-8.
pub(super) fn of(name: &[u8]) -> &'static str {
    extension(name).and_then(by_extension).unwrap_or("application/octet-stream")
}

/// What is behind the last dot of a path's last name.
pub(super) fn extension(path: &[u8]) -> Option<&[u8]> {
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    let dot = name.iter().rposition(|&byte| byte == b'.')?;
    Some(&name[dot + 1..])
}

fn by_extension(extension: &[u8]) -> Option<&'static str> {
    let mut lower = [0; 11];
    let lower = lower.get_mut(..extension.len())?;
    lower.copy_from_slice(extension);
    lower.make_ascii_lowercase();
    Some(match &*lower {
        b"html" | b"htm" | b"shtml" => "text/html; charset=utf-8",
        b"css" => "text/css; charset=utf-8",
        b"js" | b"mjs" | b"cjs" => "text/javascript; charset=utf-8",
        b"json" | b"map" => "application/json",
        b"webmanifest" => "application/manifest+json",
        b"jsonld" => "application/ld+json",
        b"geojson" => "application/geo+json",
        b"txt" | b"text" | b"log" | b"conf" | b"ini" => "text/plain; charset=utf-8",
        b"md" | b"markdown" => "text/markdown; charset=utf-8",
        b"csv" => "text/csv; charset=utf-8",
        b"tsv" => "text/tab-separated-values; charset=utf-8",
        b"vtt" => "text/vtt; charset=utf-8",
        b"ics" => "text/calendar; charset=utf-8",
        b"vcf" => "text/vcard; charset=utf-8",
        b"xml" | b"xsl" | b"xsd" => "text/xml; charset=utf-8",
        b"xhtml" => "application/xhtml+xml",
        b"rss" => "application/rss+xml",
        b"atom" => "application/atom+xml",
        b"yaml" | b"yml" => "application/yaml",
        b"toml" => "application/toml",
        b"wasm" => "application/wasm",
        b"pdf" => "application/pdf",
        b"rtf" => "application/rtf",
        b"epub" => "application/epub+zip",
        b"doc" => "application/msword",
        b"xls" => "application/vnd.ms-excel",
        b"ppt" => "application/vnd.ms-powerpoint",
        b"docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        b"xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        b"pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        b"odt" => "application/vnd.oasis.opendocument.text",
        b"ods" => "application/vnd.oasis.opendocument.spreadsheet",
        b"zip" => "application/zip",
        b"gz" | b"tgz" => "application/gzip",
        b"bz2" => "application/x-bzip2",
        b"xz" => "application/x-xz",
        b"zst" => "application/zstd",
        b"7z" => "application/x-7z-compressed",
        b"tar" => "application/x-tar",
        b"jar" => "application/java-archive",
        b"apk" => "application/vnd.android.package-archive",
        b"png" | b"apng" => "image/png",
        b"jpg" | b"jpeg" => "image/jpeg",
        b"gif" => "image/gif",
        b"webp" => "image/webp",
        b"avif" => "image/avif",
        b"heic" => "image/heic",
        b"svg" => "image/svg+xml",
        b"ico" => "image/vnd.microsoft.icon",
        b"bmp" => "image/bmp",
        b"tif" | b"tiff" => "image/tiff",
        b"jxl" => "image/jxl",
        b"mp3" => "audio/mpeg",
        b"m4a" => "audio/mp4",
        b"aac" => "audio/aac",
        b"wav" => "audio/wav",
        b"ogg" | b"oga" => "audio/ogg",
        b"opus" => "audio/opus",
        b"flac" => "audio/flac",
        b"weba" => "audio/webm",
        b"mid" | b"midi" => "audio/midi",
        b"mp4" | b"m4v" => "video/mp4",
        b"webm" => "video/webm",
        b"mpeg" | b"mpg" => "video/mpeg",
        b"ogv" => "video/ogg",
        b"mov" => "video/quicktime",
        b"avi" => "video/x-msvideo",
        b"mkv" => "video/matroska",
        b"3gp" => "video/3gpp",
        b"ts" => "video/mp2t",
        b"m3u8" => "application/vnd.apple.mpegurl",
        b"mpd" => "application/dash+xml",
        b"woff" => "font/woff",
        b"woff2" => "font/woff2",
        b"ttf" => "font/ttf",
        b"otf" => "font/otf",
        b"glb" => "model/gltf-binary",
        b"gltf" => "model/gltf+json",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_whatever_its_case() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/b.JPeG", "image/jpeg"),
            ("app.min.js", "text/javascript; charset=utf-8"),
            ("site.webmanifest", "application/manifest+json"),
            ("archive.tar.gz", "application/gzip"),
            ("README", "application/octet-stream"),
            ("a.html/README", "application/octet-stream"),
            ("a.", "application/octet-stream"),
            ("", "application/octet-stream"),
            ("a.averylongextension", "application/octet-stream"),
            ("a.\u{e9}", "application/octet-stream"),
        ] {
            assert_eq!(of(name.as_bytes()), expected, "{name}");
        }
    }
}
