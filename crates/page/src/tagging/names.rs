//! Names in a zip file.

use std::collections::HashSet;

/// Where files go in a zip file: at the names that they have. A file whose name another one has goes into a folder that
/// is called 2, 3 and so on, since a sidecar is found by its photo's name.
pub fn zip_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut place = |name: &str| {
        let name = plain(name);
        let numbered = |number: u32| if number == 1 { name.clone() } else { format!("{number}/{name}") };
        // File systems of Windows and macOS take upper and lower case for the same.
        (1..).map(numbered).find(|place| taken.insert(place.to_lowercase())).unwrap_or_default()
    };
    names.into_iter().map(&mut place).collect()
}

/// Without what would lead out of the folder that the archive is unpacked in.
fn plain(name: &str) -> String {
    let name: String = name.chars().map(|c| if matches!(c, '/' | '\\' | '\0') { '_' } else { c }).collect();
    match name.as_str() {
        "" | "." | ".." => "photo".into(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_a_place_of_its_own_and_keeps_its_name() {
        let names = ["a.jpg", "b.jpg", "A.JPG", "a.jpg", "../x.jpg", "..", ""];
        let places = ["a.jpg", "b.jpg", "2/A.JPG", "3/a.jpg", ".._x.jpg", "photo", "2/photo"];
        assert_eq!(zip_names(names), places);
    }
}
