//! Addresses that are the picture themselves: `data:image/png;base64,…`.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What such an address holds.
#[derive(Debug, PartialEq)]
pub struct Data {
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// Takes it apart, if it is a picture.
pub fn picture(address: &str) -> Option<Data> {
    let (head, body) = after_scheme(address)?.split_once(',')?;
    let mut parameters = head.split(';').map(str::trim);
    let media_type = parameters.next()?.to_ascii_lowercase();
    if !media_type.starts_with("image/") {
        return None;
    }
    let bytes = unescaped(body);
    let base64 = parameters.any(|parameter| parameter.eq_ignore_ascii_case("base64"));
    let bytes = if base64 { decoded(bytes)? } else { bytes };
    Some(Data { media_type, bytes })
}

/// Whether the address is of this kind.
pub fn is_data(address: &str) -> bool {
    after_scheme(address).is_some()
}

fn after_scheme(address: &str) -> Option<&str> {
    let (scheme, rest) = address.trim().split_at_checked(5)?;
    scheme.eq_ignore_ascii_case("data:").then_some(rest)
}

impl Data {
    /// A file's name for the picture.
    pub fn name(&self) -> String {
        let kind = self.media_type.trim_start_matches("image/");
        let ending = match kind {
            "jpeg" => "jpg",
            "svg+xml" => "svg",
            kind if kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !kind.is_empty() => kind,
            _ => "image",
        };
        format!("picture.{ending}")
    }
}

/// `%20` and its like as bytes.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digit = |at: usize| after.get(at).and_then(|&digit| char::from(digit).to_digit(16));
        match (byte, digit(0).zip(digit(1))) {
            (b'%', Some((high, low))) => {
                bytes.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            _ => bytes.push(byte),
        }
    }
    bytes
}

/// As browsers decode it: white space and missing padding do no harm.
fn decoded(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    bytes.retain(|byte| !byte.is_ascii_whitespace());
    GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_decoded() {
        let cases = [
            ("data:image/png;base64,AQID", "image/png", "picture.png"),
            ("DATA:image/JPEG;charset=x;BASE64, AQ%49D", "image/jpeg", "picture.jpg"),
            ("data:image/x-icon,%01%02%03", "image/x-icon", "picture.image"),
            ("data:image/webp;base64,AQ\n ID", "image/webp", "picture.webp"),
        ];
        for (address, media_type, name) in cases {
            let data = picture(address).unwrap_or_else(|| panic!("{address}"));
            assert_eq!((data.media_type.as_str(), data.name().as_str()), (media_type, name));
            assert_eq!(data.bytes, [1, 2, 3], "{address}");
        }
        assert_eq!(picture("data:image/gif;base64,AQI").map(|data| data.bytes), Some(vec![1, 2]));
    }

    #[test]
    fn anything_else_is_refused() {
        for address in
            ["", "data:", "data:text/html,<b>", "data:image/png", "data:image/png;base64,?", "datä:"]
        {
            assert_eq!(picture(address), None, "{address}");
        }
        assert!(is_data("data:text/plain,x") && !is_data("https://host/data:"));
    }
}
