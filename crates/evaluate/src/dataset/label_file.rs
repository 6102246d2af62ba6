//! Files that name the right class of each photo.

use super::classes::{Classes, MissingClasses};
use super::devkit;
use super::listing::{is_photo, normalized};
use crate::error::EvaluateError;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::fmt;
use std::io::{BufRead, Read};

/// Label files that are found by their names, and the folders where their photos lie, each beside the label file.
pub const KNOWN: [&str; 6] = [
    "labels.json",
    "val_annotations.txt",
    "LOC_val_solution.csv",
    "ILSVRC2012_validation_ground_truth.txt",
    "data/ILSVRC2012_validation_ground_truth.txt",
    "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt",
];

/// Where the photos of a label file may be, relative to it: beside it, and as Tiny-ImageNet, others and Kaggle have it.
pub const PHOTO_FOLDERS: [&str; 5] = ["", "images/", "val/", "val/images/", "ILSVRC/Data/CLS-LOC/val/"];

/// A label file to read.
pub struct LabelFile<'a> {
    /// For messages; its ending tells the format.
    pub name: &'a str,
    pub content: Box<dyn BufRead>,
    /// Reads a file beside it.
    pub companion: &'a dyn Fn(&str) -> Option<Box<dyn BufRead>>,
}

/// A file and the row of its class.
pub type Labelled = (Box<str>, usize);

impl LabelFile<'_> {
    /// The files with their classes, in the order of their names.
    ///
    /// - `.json`: `{"file": class, …}`
    /// - `.csv`: Kaggle's `ImageId,PredictionString`, whose second column begins with the WordNet id
    /// - else lines of `file class`, separated by a tab or spaces (what follows is ignored); or lines of a class
    ///   alone, for ILSVRC2012_val_00000001.JPEG and so on
    ///
    /// A class is ImageNet's index, a WordNet id or a name; on the lines of a class alone a number is ILSVRC2012's own
    /// id, from 1 to 1000, that `meta.mat` or `map_clsloc.txt` beside it explains.
    ///
    /// # Errors
    /// When it is not in its format, names a file twice or one outside of the dataset, or has classes that the model
    /// lacks: all of them named.
    pub fn read(mut self, dataset: &str, classes: &Classes) -> Result<Vec<Labelled>, EvaluateError> {
        let content = std::mem::replace(&mut self.content, Box::new(std::io::empty()));
        let mut reader = Rows { file: &self, classes, rows: Vec::new(), missing: MissingClasses::default() };
        let extension = self.name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        match extension.as_deref() {
            Some("json") => reader.json(content)?,
            Some("csv") => reader.kaggle(content)?,
            _ => reader.lines(content)?,
        }
        let Rows { mut rows, missing, .. } = reader;
        missing.check(dataset)?;
        rows.sort();
        match rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(self.fault(format!("{:?} is there twice", pair[0].0))),
            None => Ok(rows),
        }
    }

    fn fault(&self, reason: String) -> EvaluateError {
        EvaluateError::Labels { file: self.name.to_owned(), reason }
    }
}

/// What was read so far.
struct Rows<'a> {
    file: &'a LabelFile<'a>,
    classes: &'a Classes<'a>,
    rows: Vec<Labelled>,
    missing: MissingClasses,
}

impl Rows<'_> {
    fn add(&mut self, file: &str, class: Option<usize>, as_written: &str) -> Result<(), EvaluateError> {
        let name = normalized(file).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| self.file.fault(format!("{file:?} leads outside of the dataset")))?;
        match class {
            Some(class) => self.rows.push((name.into(), class)),
            None => self.missing.add(as_written.to_owned()),
        }
        Ok(())
    }

    /// A class as a word: a number is an index.
    fn word(&self, class: &str) -> Option<usize> {
        class.parse().map_or_else(|_| self.classes.named(class), |index| self.classes.numbered(index))
    }

    fn json(&mut self, content: Box<dyn BufRead>) -> Result<(), EvaluateError> {
        let file = self.file;
        let mut result = Ok(());
        let each = |name: String, class: serde_json::Value| {
            if result.is_err() {
                return;
            }
            let row = match &class {
                serde_json::Value::String(name) => self.classes.named(name),
                other => match other.as_u64().and_then(|i| usize::try_from(i).ok()) {
                    Some(index) => self.classes.numbered(index),
                    None => {
                        result = Err(file.fault(format!("{name:?}: expected an index, got {other}")));
                        return;
                    }
                },
            };
            result = self.add(&name, row, &class.to_string());
        };
        let mut json = serde_json::Deserializer::from_reader(content);
        let read = json.deserialize_map(Entries(each)).and_then(|()| json.end());
        read.map_err(|e| file.fault(format!("expected {{\"file\": index, …}}: {e}")))?;
        result
    }

    fn kaggle(&mut self, content: Box<dyn BufRead>) -> Result<(), EvaluateError> {
        for (number, line) in content.lines().enumerate() {
            let line = line.map_err(|e| self.file.fault(e.to_string()))?;
            let fault = |expected: &str| self.file.fault(format!("line {}: expected {expected}", number + 1));
            if number == 0 {
                if line.trim().trim_start_matches('\u{feff}') != "ImageId,PredictionString" {
                    return Err(fault("ImageId,PredictionString as Kaggle's LOC_val_solution.csv has it"));
                }
            } else if !line.trim().is_empty() {
                let (file, rest) = line.split_once(',').ok_or_else(|| fault("an image's id and a comma"))?;
                let class = rest.split_whitespace().next().ok_or_else(|| fault("a WordNet id"))?;
                let file = if is_photo(file) { file.to_owned() } else { format!("{file}.JPEG") };
                self.add(&file, self.classes.named(class), class)?;
            }
        }
        Ok(())
    }

    fn lines(&mut self, content: Box<dyn BufRead>) -> Result<(), EvaluateError> {
        let mut alone = Vec::new();
        for (number, line) in content.lines().enumerate() {
            let line = line.map_err(|e| self.file.fault(e.to_string()))?;
            let words: Vec<&str> = match line.contains('\t') {
                true => line.split('\t').map(str::trim).collect(),
                false => line.split_whitespace().collect(),
            };
            match words[..] {
                [] => {}
                [class] if self.rows.is_empty() => alone.push(class.to_owned()),
                [file, class, ..] if alone.is_empty() => self.add(file, self.word(class), class)?,
                _ => {
                    let expected = "a file and its class on each line, or a class alone on each";
                    return Err(self.file.fault(format!("line {}: expected {expected}", number + 1)));
                }
            }
        }
        self.validation(&alone)
    }

    /// Classes of ILSVRC's validation photos, in the order of their numbers.
    fn validation(&mut self, classes: &[String]) -> Result<(), EvaluateError> {
        let numbers: Option<Vec<usize>> = classes.iter().map(|class| class.parse().ok()).collect();
        let wnids = match numbers {
            Some(numbers) if !numbers.is_empty() => self.devkit(&numbers)?,
            _ => classes.to_vec(),
        };
        for (index, wnid) in wnids.iter().enumerate() {
            let file = format!("ILSVRC2012_val_{:08}.JPEG", index + 1);
            self.add(&file, self.classes.named(wnid), wnid)?;
        }
        Ok(())
    }

    /// WordNet ids of ILSVRC2012's own numbers, by what the development kit has beside the ground truth.
    fn devkit(&self, numbers: &[usize]) -> Result<Vec<String>, EvaluateError> {
        let table = if let Some(mut file) = (self.file.companion)(devkit::META) {
            let mut bytes = Vec::new();
            let read =
                file.by_ref().take(devkit::MAX_META_BYTES).read_to_end(&mut bytes).map_err(|e| e.to_string());
            let table = read.and_then(|_| devkit::meta(&bytes).map_err(str::to_owned));
            table.map_err(|e| self.file.fault(format!("{} beside it can't be read: {e}", devkit::META)))?
        } else if let Some(file) = (self.file.companion)(devkit::MAP) {
            devkit::map(file)
                .map_err(|e| self.file.fault(format!("{} beside it can't be read: {e}", devkit::MAP)))?
        } else {
            return Err(self.file.fault(format!(
                "its numbers are ILSVRC2012's own, which {} of the development kit explains; put it beside this file",
                devkit::META
            )));
        };
        let wnid = |number: &usize| {
            let wnid = table.get(number).cloned();
            wnid.ok_or_else(|| self.file.fault(format!("the development kit has no class {number}")))
        };
        numbers.iter().map(wnid).collect()
    }
}

/// Hands over a JSON object's entries one by one: with millions of them they are never in memory as JSON.
struct Entries<F>(F);

impl<'de, F: FnMut(String, serde_json::Value)> Visitor<'de> for Entries<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        while let Some((name, class)) = map.next_entry()? {
            (self.0)(name, class);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beit::labels::{Label, imagenet_1k};
    use std::io::Cursor;

    fn read(name: &str, text: &str, beside: &[(&str, &[u8])]) -> Result<Vec<(String, usize)>, String> {
        // Rows 0 and 1 are ImageNet's 281 and 7.
        let labels: Vec<Label> = [281, 7].iter().map(|&i: &usize| imagenet_1k()[i].clone()).collect();
        let beside: Vec<(String, Vec<u8>)> =
            beside.iter().map(|(n, b)| ((*n).to_owned(), b.to_vec())).collect();
        let companion = |wanted: &str| {
            let found = beside.iter().find(|(name, _)| name == wanted);
            found.map(|(_, bytes)| Box::new(Cursor::new(bytes.clone())) as Box<dyn BufRead>)
        };
        let content = Box::new(Cursor::new(text.to_owned().into_bytes()));
        let file = LabelFile { name, content, companion: &companion };
        let rows = file.read("set", &Classes::new(&labels)).map_err(|e| e.to_string())?;
        Ok(rows.into_iter().map(|(file, class)| (file.to_string(), class)).collect())
    }

    #[test]
    fn each_format_says_the_same() {
        let expected = |names: [&str; 2]| Ok(vec![(names[0].to_owned(), 1), (names[1].to_owned(), 0)]);
        let val = ["ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_val_00000002.JPEG"];
        let plain = ["a.jpg", "b.jpg"];
        let table: [(&str, &str, [&str; 2]); 7] = [
            ("labels.json", r#"{"b.jpg": 281, "a.jpg": 7}"#, plain),
            ("labels.json", r#"{"b.jpg": "tabby", "./a.jpg": "n01514668"}"#, plain),
            (
                "val_annotations.txt",
                "a.jpg\tn01514668\t0\t32\t44\t62\r\nb.jpg\tn02123045\t0\t0\t63\t63\r\n",
                plain,
            ),
            ("val.txt", "b.jpg 281\n\na.jpg 7\n", plain),
            (
                "LOC_val_solution.csv",
                "ImageId,PredictionString\nILSVRC2012_val_00000002,n02123045 1 2 3 4 \nILSVRC2012_val_00000001,n01514668 85 1 499 272 n01514668 1 1 2 2 \n",
                val,
            ),
            ("truth.txt", "n01514668\nn02123045\n", val),
            ("truth.txt", "7\n3\n", val),
        ];
        for (name, text, names) in table {
            let map = b"n02123045 3 tabby\nn01514668 7 cock\n";
            assert_eq!(read(name, text, &[("map_clsloc.txt", map)]), expected(names), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let table = [
            ("labels.json", r#"{"a.jpg": 281, "b.jpg": 282}"#, "lacks 1 of the classes: 282"),
            ("labels.json", r#"{"a.jpg": "unicorn"}"#, "\"unicorn\""),
            ("labels.json", r#"{"a.jpg": -1}"#, "expected an index, got -1"),
            ("labels.json", r#"{"a.jpg": 1.5}"#, "expected an index, got 1.5"),
            ("labels.json", "[]", "expected {\"file\": index"),
            ("labels.json", "{", "expected {\"file\": index"),
            ("labels.json", r#"{"a.jpg": 7, "./a.jpg": 281}"#, "\"a.jpg\" is there twice"),
            ("labels.json", r#"{"../a.jpg": 7}"#, "leads outside"),
            ("labels.json", r#"{"/etc/a.jpg": 7}"#, "leads outside"),
            ("val.txt", "a.jpg 7\nb.jpg\n", "line 2: expected"),
            ("val.txt", "a.jpg n00000001\n", "n00000001"),
            ("truth.txt", "7\n3\n", "meta.mat"),
            ("val.csv", "a,b\n", "line 1: expected ImageId,PredictionString"),
            ("val.csv", "ImageId,PredictionString\nx\n", "line 2: expected"),
        ];
        for (name, text, sentence) in table {
            let error = read(name, text, &[]).unwrap_err();
            assert!(error.contains(sentence), "{text}: {error}");
        }
        let error = read("truth.txt", "7\n4\n", &[("map_clsloc.txt", b"n01514668 7 cock")]).unwrap_err();
        assert!(error.contains("no class 4"), "{error}");
    }
}
