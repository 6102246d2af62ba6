//! The properties that hold keywords, and where one stands in a text.

use super::{DC, LIGHTROOM, OWN};
use std::ops::Range;

/// A property of keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    Subject,
    Path,
    /// Subjects that this crate added.
    AddedSubject,
    /// Paths that this crate added.
    AddedPath,
}

impl Name {
    pub const ALL: [Self; 4] = [Self::Subject, Self::Path, Self::AddedSubject, Self::AddedPath];

    /// Namespace, usual prefix and local name.
    fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Subject => (DC, "dc", "subject"),
            Self::Path => (LIGHTROOM, "lr", "hierarchicalSubject"),
            Self::AddedSubject => (OWN, "beitscope", "AddedSubject"),
            Self::AddedPath => (OWN, "beitscope", "AddedHierarchicalSubject"),
        }
    }

    pub fn of(namespace: &str, local: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| (name.parts().0, name.parts().2) == (namespace, local))
    }

    pub fn namespace(self) -> &'static str {
        self.parts().0
    }

    pub fn prefix(self) -> &'static str {
        self.parts().1
    }

    /// With the usual prefix.
    pub fn qualified(self) -> &'static str {
        match self {
            Self::Subject => "dc:subject",
            Self::Path => "lr:hierarchicalSubject",
            Self::AddedSubject => "beitscope:AddedSubject",
            Self::AddedPath => "beitscope:AddedHierarchicalSubject",
        }
    }
}

/// A property, as an element or an attribute.
#[derive(Debug)]
pub struct Property {
    pub name: Name,
    pub form: Form,
}

/// How the keywords are written.
#[derive(Debug)]
pub enum Form {
    /// `<rdf:Description dc:subject="cat">`: one keyword.
    Attribute {
        /// With the white space before it.
        span: Range<usize>,
        /// The value as it is written.
        raw: Range<usize>,
        value: String,
    },
    /// `<dc:subject>cat</dc:subject>` or `<dc:subject/>`: one keyword or none.
    Text {
        element: Element,
        value: String,
        /// Whether the prefix `rdf` means RDF there.
        has_rdf: bool,
    },
    /// `<dc:subject><rdf:Bag><rdf:li>cat</rdf:li></rdf:Bag></dc:subject>`
    List { element: Element, container: Element, items: Vec<Item> },
}

/// An element's place.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its qualified name.
    pub name: String,
    /// Its start tag.
    pub tag: Range<usize>,
    /// Where its end tag begins; where the start tag ends if that is the end tag too.
    pub close: usize,
    /// The end of its end tag.
    pub end: usize,
}

impl Element {
    /// Whether it is written as `<a/>`.
    pub fn is_empty_tag(&self) -> bool {
        self.close == self.end
    }
}

/// An item of a list.
#[derive(Debug)]
pub struct Item {
    /// The whole element.
    pub span: Range<usize>,
    /// `None` if it is more than text.
    pub text: Option<String>,
}

impl Property {
    /// Its keywords; what is no plain text is left out.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        let (one, items) = match &self.form {
            Form::Attribute { value, .. } | Form::Text { value, .. } => (Some(value.as_str()), &[][..]),
            Form::List { items, .. } => (None, items.as_slice()),
        };
        one.filter(|value| !value.is_empty())
            .into_iter()
            .chain(items.iter().filter_map(|item| item.text.as_deref()))
    }
}
