//! Patterns.

use mongoose::glob::{captures, matches};

/// The first line is the pattern, the rest the text: beside a plain matcher, and what the signs stand for.
pub fn glob(bytes: &[u8]) {
    let Ok(both) = std::str::from_utf8(&bytes[..bytes.len().min(200)]) else { return };
    let (pattern, text) = both.split_once('\n').unwrap_or((both, ""));
    let signs: Vec<char> = pattern.chars().collect();
    let letters: Vec<char> = text.chars().collect();
    let expected = plain(&signs, &letters);
    assert_eq!(matches(text, pattern), expected);
    let Some(found) = captures(text, pattern) else {
        assert!(!expected);
        return;
    };
    assert!(expected);
    let (mut left, mut rest) = (found.into_iter(), &letters[..]);
    for (index, &sign) in signs.iter().enumerate() {
        if !matches!(sign, '?' | '*' | '#') {
            assert_eq!(rest[0], sign);
            rest = &rest[1..];
            continue;
        }
        let captured: Vec<char> = left.next().expect("one for each sign").chars().collect();
        assert!(rest.starts_with(&captured));
        assert!(sign != '?' || captured.len() == 1);
        assert!(sign != '*' || !captured.contains(&'/'));
        if sign != '?' {
            let fits = |count: &usize| plain(&signs[index + 1..], &rest[*count..]);
            assert_eq!((0..captured.len()).find(fits), None, "as little as it can");
        }
        rest = &rest[captured.len()..];
    }
    assert!(rest.is_empty() && left.next().is_none());
}

/// Goes through the pattern, and keeps the places of the text that it may have come to.
fn plain(signs: &[char], letters: &[char]) -> bool {
    let mut places = vec![false; letters.len() + 1];
    places[0] = true;
    for &sign in signs {
        let before = std::mem::replace(&mut places, vec![false; letters.len() + 1]);
        for start in (0..before.len()).filter(|&start| before[start]) {
            match sign {
                '*' | '#' => {
                    let may = |letter: &&char| sign == '#' || **letter != '/';
                    let count = letters[start..].iter().take_while(may).count();
                    places[start..=start + count].fill(true);
                }
                _ if letters.get(start).is_some_and(|&letter| sign == '?' || sign == letter) => {
                    places[start + 1] = true;
                }
                _ => {}
            }
        }
    }
    places[letters.len()]
}
