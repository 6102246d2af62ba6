//! A photo's file in any format: a picture with the bytes it claims, or a sentence.

#![no_main]

use beit::decode::StoredPicture;
use codecs::decode_photo;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    // A header of a few bytes may claim a hundred megapixels, which are right to decode and slow.
    match decode_photo(file) {
        Ok(photo) => {
            let pixels = u64::from(photo.rgb.width) * u64::from(photo.rgb.height);
            assert_eq!(photo.rgb.pixels.len() as u64, 3 * pixels);
        }
        Err(error) => assert!(error.to_string().ends_with('.')),
    }
    if let Some(stored) = StoredPicture::of(file) {
        assert_eq!((stored.file.len(), StoredPicture::of(&stored.file)), (file.len(), None));
    }
});
