//! Values that nobody can guess.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

/// Letters that are hard to confuse and make no words (RFC 8628, section 6.1).
const LETTERS: [char; 20] =
    ['B', 'C', 'D', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Z'];

/// N random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The system's generator fails only on systems that have none; a test server then has guessable codes.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}

/// 64 letters, digits, dashes and underscores: the length of AuthKit's device codes.
pub(crate) fn long() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<48>())
}

/// An identifier as WorkOS shapes them: the prefix and 26 letters and digits.
pub(crate) fn id(prefix: &str) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let letter = |byte: u8| ALPHABET.get(usize::from(byte % 32)).map(|letter| char::from(*letter));
    prefix.chars().chain(bytes::<26>().into_iter().filter_map(letter)).collect()
}

/// A user code: eight letters and a dash.
pub(crate) fn user_code() -> String {
    let mut code = String::with_capacity(9);
    while code.len() < 9 {
        for byte in bytes::<16>() {
            // 240 is the largest multiple of 20 in a byte: every letter is as likely as every other.
            let letter = LETTERS.get(usize::from(byte % 20)).filter(|_| byte < 240);
            if let Some(letter) = letter.filter(|_| code.len() < 9) {
                code.push(*letter);
                if code.len() == 4 {
                    code.push('-');
                }
            }
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_shape() {
        let code = user_code();
        assert_eq!((code.len(), code.find('-')), (9, Some(4)));
        assert!(code.chars().all(|letter| letter == '-' || LETTERS.contains(&letter)));
        assert_ne!(user_code(), user_code());
        assert_eq!(long().len(), 64);
        assert_eq!(id("user_").len(), 31);
    }
}
