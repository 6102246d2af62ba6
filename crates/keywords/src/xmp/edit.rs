//! Edits of an XMP text that touch only where keywords come or go.

use super::RDF;
use super::document::{Document, Home};
use super::property::{Element, Form, Name, Property};
use quick_xml::escape::partial_escape;
use std::ops::Range;

/// Edits of a text, in any order.
pub struct Edits<'a> {
    text: &'a str,
    document: &'a Document,
    replaced: Vec<(Range<usize>, String)>,
    /// Properties that are new, as elements.
    new: String,
}

impl<'a> Edits<'a> {
    pub fn new(text: &'a str, document: &'a Document) -> Self {
        Self { text, document, replaced: Vec::new(), new: String::new() }
    }

    /// Removes keywords from a property wherever it stands, and adds others where it stands first.
    pub fn change(&mut self, name: Name, remove: &[String], add: &[String]) {
        if remove.is_empty() && add.is_empty() {
            return;
        }
        let added: Vec<String> =
            add.iter().map(|keyword| partial_escape(keyword.as_str()).into_owned()).collect();
        let goes = |value: &str| remove.iter().any(|keyword| keyword == value);
        let mut properties = self.document.properties.iter().filter(|property| property.name == name);
        match properties.next() {
            Some(first) => self.change_one(first, &goes, &added),
            None => self.add_property(name, &added),
        }
        properties.for_each(|property| self.change_one(property, &goes, &[]));
    }

    fn change_one(&mut self, property: &Property, goes: &dyn Fn(&str) -> bool, added: &[String]) {
        match &property.form {
            Form::Attribute { span, raw, value } => {
                let kept = (!value.is_empty() && !goes(value)).then(|| self.text[raw.clone()].to_owned());
                if kept.is_some() && added.is_empty() {
                    return;
                }
                self.replaced.push((span.clone(), String::new()));
                self.add_property(property.name, &[kept.as_slice(), added].concat());
            }
            Form::Text { element, value, has_rdf } => {
                let written = if element.is_empty_tag() {
                    ""
                } else {
                    self.text[element.tag.end..element.close].trim()
                };
                let kept = (!value.is_empty() && !goes(value)).then(|| written.to_owned());
                if kept.is_some() && added.is_empty() {
                    return;
                }
                let items = [kept.as_slice(), added].concat();
                if items.is_empty() {
                    return self.remove(element.tag.start..element.end);
                }
                let declaration = if *has_rdf { String::new() } else { format!(" xmlns:rdf=\"{RDF}\"") };
                self.fill(element, &bag(&declaration, &items));
            }
            Form::List { element, container, items } => {
                let gone: Vec<bool> =
                    items.iter().map(|item| item.text.as_deref().is_some_and(goes)).collect();
                if added.is_empty() && !gone.is_empty() && gone.iter().all(|&gone| gone) {
                    return self.remove(element.tag.start..element.end);
                }
                for (item, _) in items.iter().zip(&gone).filter(|&(_, &gone)| gone) {
                    self.remove(item.span.clone());
                }
                if added.is_empty() {
                    return;
                }
                let prefix =
                    container.name.rsplit_once(':').map_or(String::new(), |(prefix, _)| format!("{prefix}:"));
                let before = items.first().map_or("\n     ", |item| {
                    let start = item.span.start;
                    &self.text[self.without_space_before(start)..start]
                });
                let list: String =
                    added.iter().map(|item| format!("{before}<{prefix}li>{item}</{prefix}li>")).collect();
                match items.last() {
                    Some(last) => self.insert(last.span.end, list),
                    None => self.fill(container, &format!("{list}\n    ")),
                }
            }
        }
    }

    fn add_property(&mut self, name: Name, items: &[String]) {
        if items.is_empty() {
            return;
        }
        let home = &self.document.home;
        let mut declarations = String::new();
        if !home.bound.contains(&name.prefix()) {
            declarations += &format!(" xmlns:{}=\"{}\"", name.prefix(), name.namespace());
        }
        if !home.bound.contains(&"rdf") {
            declarations += &format!(" xmlns:rdf=\"{RDF}\"");
        }
        let qualified = name.qualified();
        self.new += &format!("\n   <{qualified}{declarations}>{}</{qualified}>", bag("", items));
    }

    /// Replaces what stands within an element.
    fn fill(&mut self, element: &Element, content: &str) {
        if !element.is_empty_tag() {
            return self.replaced.push((element.tag.end..element.close, content.to_owned()));
        }
        // `<a/>`: its tag ends with a slash and an angle bracket.
        let slash = element.tag.end - 2;
        self.replaced.push((slash..element.tag.end, format!(">{content}</{}>", element.name)));
    }

    fn insert(&mut self, at: usize, content: String) {
        self.replaced.push((at..at, content));
    }

    /// Removes an element and the white space before it.
    fn remove(&mut self, span: Range<usize>) {
        self.replaced.push((self.without_space_before(span.start)..span.end, String::new()));
    }

    fn without_space_before(&self, at: usize) -> usize {
        self.text[..at].trim_end_matches([' ', '\t', '\r', '\n']).len()
    }

    /// The text with all edits.
    pub fn apply(mut self) -> String {
        if !self.new.is_empty() {
            let Home { element, is_rdf, bound, .. } = &self.document.home;
            let new = std::mem::take(&mut self.new);
            let (content, indent) = match is_rdf {
                false => (new, "\n  "),
                true => {
                    let declaration =
                        if bound.contains(&"rdf") { String::new() } else { format!(" xmlns:rdf=\"{RDF}\"") };
                    let begin = format!("\n  <rdf:Description{declaration} rdf:about=\"\">");
                    (format!("{begin}{new}\n  </rdf:Description>"), "\n ")
                }
            };
            if element.is_empty_tag() {
                self.fill(element, &format!("{content}{indent}"));
            } else {
                let at = self.without_space_before(element.close).max(element.tag.end);
                let indent = if at == element.close { indent } else { "" };
                self.insert(at, format!("{content}{indent}"));
            }
        }
        self.replaced.sort_by_key(|(range, _)| (range.start, range.end));
        let (mut text, mut done) = (String::with_capacity(self.text.len()), 0);
        for (range, content) in self.replaced {
            text.push_str(&self.text[done..range.start]);
            text.push_str(&content);
            done = range.end;
        }
        text.push_str(&self.text[done..]);
        text
    }
}

/// A list of keywords that are escaped already.
fn bag(declaration: &str, items: &[String]) -> String {
    let items: String = items.iter().map(|item| format!("\n     <rdf:li>{item}</rdf:li>")).collect();
    format!("\n    <rdf:Bag{declaration}>{items}\n    </rdf:Bag>\n   ")
}
