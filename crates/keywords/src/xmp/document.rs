//! Where the keywords stand in the text of XMP.

use super::attributes::attributes;
use super::property::{Element, Form, Item, Name, Property};
use super::{RDF, XmpError};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, QName, ResolveResult};
use quick_xml::reader::NsReader;
use std::ops::Range;

/// What concerns keywords in an XMP text.
#[derive(Debug)]
pub struct Document {
    pub properties: Vec<Property>,
    /// Where a new property goes: the first `rdf:Description`, or `rdf:RDF` if there is none.
    pub home: Home,
}

/// An element that takes new properties.
#[derive(Debug)]
pub struct Home {
    pub element: Element,
    /// Whether it is the `rdf:RDF`, which needs an `rdf:Description` first.
    pub is_rdf: bool,
    /// Prefixes that mean there what they usually do, of `rdf` and of those of [`Name`].
    pub bound: Vec<&'static str>,
}

/// What an open element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Rdf,
    /// A child of `rdf:RDF`: what the properties are of.
    Node,
    Property,
    /// `rdf:Bag`, `rdf:Seq` or `rdf:Alt`.
    Container,
    Item,
    Other,
}

struct Open {
    role: Role,
    element: Element,
}

struct Parser<'a> {
    text: &'a str,
    reader: NsReader<&'a [u8]>,
    open: Vec<Open>,
    properties: Vec<Property>,
    rdf: Option<Home>,
    node: Option<Home>,
    /// Of the property that is open.
    name: Option<Name>,
    has_rdf: bool,
    value: String,
    container: Option<Element>,
    items: Vec<Item>,
    /// Text of the item that is open, unless it is more than text.
    item: Option<String>,
}

/// Reads an XMP text.
///
/// # Errors
/// When it is not well-formed, has no `rdf:RDF`, or keywords in a form that is no list.
pub fn parse(text: &str, is_utf8: bool) -> Result<Document, XmpError> {
    if text.contains('\0') {
        return Err(XmpError::Xml("it has NULs in it".into()));
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut parser = Parser {
        text,
        reader,
        open: Vec::new(),
        properties: Vec::new(),
        rdf: None,
        node: None,
        name: None,
        has_rdf: false,
        value: String::new(),
        container: None,
        items: Vec::new(),
        item: None,
    };
    loop {
        let from = parser.position();
        let event = parser.reader.read_event().map_err(xml)?;
        match event {
            Event::Start(tag) => parser.start(&tag, from)?,
            Event::End(_) => parser.end(from)?,
            Event::Text(content) => parser.text(&content.xml10_content())?,
            Event::CData(content) => parser.text(&content.xml10_content())?,
            Event::GeneralRef(name) => {
                let written = format!("&{};", &*name);
                parser.text(&quick_xml::escape::unescape(&written).map_err(xml)?)?;
            }
            Event::Decl(declaration) => {
                if let Some(encoding) = declaration.encoding() {
                    let encoding = encoding.map_err(xml)?;
                    let expected = if is_utf8 { "UTF-8" } else { "UTF-16" };
                    // UTF-16LE and UTF-16BE are UTF-16.
                    if !encoding.get(..expected.len()).is_some_and(|name| name.eq_ignore_ascii_case(expected))
                    {
                        return Err(XmpError::Declared(encoding.into_owned()));
                    }
                }
            }
            Event::DocType(_) => return Err(XmpError::DocumentType),
            Event::Empty(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if !parser.open.is_empty() {
        return Err(XmpError::Xml("an element is not closed".into()));
    }
    let home = parser.node.or(parser.rdf).ok_or(XmpError::NoRdf)?;
    Ok(Document { properties: parser.properties, home })
}

fn xml(error: impl std::fmt::Display) -> XmpError {
    XmpError::Xml(error.to_string())
}

impl Parser<'_> {
    fn position(&self) -> usize {
        // A text in memory is shorter than `usize` counts.
        self.reader.buffer_position() as usize
    }

    fn start(&mut self, start: &BytesStart, from: usize) -> Result<(), XmpError> {
        let tag = from..self.position();
        for attribute in start.attributes() {
            attribute.map_err(xml)?;
        }
        let (namespace, local) = self.reader.resolver().resolve_element(start.name());
        let is_rdf = namespace == ResolveResult::Bound(Namespace(RDF));
        let local = local.into_inner();
        let property = match namespace {
            ResolveResult::Bound(Namespace(namespace)) => Name::of(namespace, local),
            ResolveResult::Unknown(prefix) => {
                return Err(xml(format!("the prefix {prefix} is not declared")));
            }
            ResolveResult::Unbound => None,
        };
        let parent = self.open.last().map_or(Role::Other, |open| open.role);
        let role = match parent {
            Role::Other if is_rdf && local == "RDF" && self.rdf.is_none() && self.open.len() < 2 => Role::Rdf,
            Role::Other => Role::Other,
            Role::Rdf => Role::Node,
            Role::Node if property.is_some() => Role::Property,
            Role::Node => Role::Other,
            Role::Property => {
                let is_list = is_rdf && matches!(local, "Bag" | "Seq" | "Alt");
                if !is_list || self.container.is_some() {
                    return Err(self.form());
                }
                Role::Container
            }
            Role::Container if is_rdf && local == "li" => Role::Item,
            Role::Container => return Err(self.form()),
            Role::Item => {
                self.item = None;
                Role::Other
            }
        };
        let element = Element {
            name: start.name().into_inner().to_owned(),
            close: tag.end,
            end: tag.end,
            tag: tag.clone(),
        };
        match role {
            Role::Rdf => self.rdf = Some(self.home(&element, true)),
            Role::Node => {
                if self.node.is_none() && is_rdf && local == "Description" {
                    self.node = Some(self.home(&element, false));
                }
                self.attribute_properties(&tag)?;
            }
            Role::Property => {
                self.name = property;
                self.has_rdf = self.means("rdf", RDF);
                if !self.is_plain(&tag)? {
                    return Err(self.form());
                }
            }
            Role::Item => self.item = self.is_plain(&tag)?.then(String::new),
            Role::Container | Role::Other => {}
        }
        self.open.push(Open { role, element });
        Ok(())
    }

    fn end(&mut self, from: usize) -> Result<(), XmpError> {
        let to = self.position();
        let Some(Open { role, mut element }) = self.open.pop() else { return Ok(()) };
        (element.close, element.end) = (from, to);
        let home = match role {
            Role::Rdf => &mut self.rdf,
            Role::Node => &mut self.node,
            _ => &mut None,
        };
        if let Some(home) = home.as_mut().filter(|home| home.element.tag == element.tag) {
            home.element = element;
            return Ok(());
        }
        match role {
            Role::Item => {
                let text = self.item.take().map(|text| text.trim().to_owned());
                self.items.push(Item { span: element.tag.start..to, text });
            }
            Role::Container => self.container = Some(element),
            Role::Property => {
                let value = std::mem::take(&mut self.value).trim().to_owned();
                let items = std::mem::take(&mut self.items);
                let form = match self.container.take() {
                    Some(_) if !value.is_empty() => return Err(self.form()),
                    Some(container) => Form::List { element, container, items },
                    None => Form::Text { element, value, has_rdf: self.has_rdf },
                };
                self.properties.extend(self.name.take().map(|name| Property { name, form }));
            }
            Role::Rdf | Role::Node | Role::Other => {}
        }
        Ok(())
    }

    fn text(&mut self, content: &str) -> Result<(), XmpError> {
        let blank = content.chars().all(char::is_whitespace);
        match self.open.last().map(|open| open.role) {
            Some(Role::Item) => self.item.iter_mut().for_each(|item| item.push_str(content)),
            Some(Role::Property) => self.value.push_str(content),
            Some(Role::Container) if !blank => return Err(self.form()),
            None if !blank => return Err(XmpError::Xml("it has text outside of its elements".into())),
            _ => {}
        }
        Ok(())
    }

    /// Properties that a node has as attributes.
    fn attribute_properties(&mut self, tag: &Range<usize>) -> Result<(), XmpError> {
        for attribute in self.attributes(tag)? {
            let (namespace, local) =
                self.reader.resolver().resolve_attribute(QName(&self.text[attribute.name.clone()]));
            let ResolveResult::Bound(Namespace(namespace)) = namespace else { continue };
            let Some(name) = Name::of(namespace, local.into_inner()) else { continue };
            let value = quick_xml::escape::unescape(&self.text[attribute.value.clone()]).map_err(xml)?;
            let form = Form::Attribute {
                span: attribute.span,
                raw: attribute.value.clone(),
                value: value.trim().to_owned(),
            };
            self.properties.push(Property { name, form });
        }
        Ok(())
    }

    fn attributes(&self, tag: &Range<usize>) -> Result<Vec<super::attributes::Attribute>, XmpError> {
        attributes(self.text, tag).ok_or_else(|| XmpError::Xml("an attribute is not written as one".into()))
    }

    /// Whether a tag has no attributes but declarations of namespaces and those of XML itself.
    fn is_plain(&self, tag: &Range<usize>) -> Result<bool, XmpError> {
        let of_xml = |name: &str| name == "xmlns" || name.starts_with("xmlns:") || name.starts_with("xml:");
        Ok(self.attributes(tag)?.into_iter().all(|attribute| of_xml(&self.text[attribute.name])))
    }

    fn home(&self, element: &Element, is_rdf: bool) -> Home {
        let usual = Name::ALL.map(|name| (name.prefix(), name.namespace()));
        let usual = usual.into_iter().chain([("rdf", RDF)]);
        let bound = usual.filter(|(prefix, namespace)| self.means(prefix, namespace));
        let bound = bound.map(|(prefix, _)| prefix).collect();
        Home { element: element.clone(), is_rdf, bound }
    }

    /// Whether a prefix stands for this namespace here.
    fn means(&self, prefix: &str, namespace: &str) -> bool {
        let name = format!("{prefix}:x");
        self.reader.resolver().resolve_element(QName(&name)).0 == ResolveResult::Bound(Namespace(namespace))
    }

    fn form(&self) -> XmpError {
        XmpError::Form { property: self.name.unwrap_or(Name::Subject).qualified() }
    }
}
