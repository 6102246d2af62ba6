//! Line icons, drawn for this page on a 24-unit grid. They take the colour of the text around them.

use yew::{Html, Properties, component, html};

/// An icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Cross,
    Info,
    Lock,
    Photo,
    Alert,
    Again,
    Back,
    Forth,
    Pause,
    Save,
    Play,
    Down,
}

impl Shape {
    fn path(self) -> &'static str {
        match self {
            Self::Cross => "M6.5 6.5l11 11M17.5 6.5l-11 11",
            Self::Info => "M12 3.5a8.5 8.5 0 1 0 .01 0M12 11v5.2M12 7.6v.2",
            Self::Lock => "M6 11h12v8.5H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
            Self::Photo => "M3.5 5h17v14h-17zM3.5 16l5-5 4 4 3-2.5 5 4.5M15.6 9.2a.6.6 0 1 0 .01 0",
            Self::Alert => "M12 4.2l8.6 15.3H3.4zM12 10v4.2M12 16.8v.2",
            Self::Back => "M14.5 5.5L8 12l6.5 6.5",
            Self::Forth => "M9.5 5.5L16 12l-6.5 6.5",
            Self::Save => "M12 4v10.5M7.5 10.5L12 15l4.5-4.5M5 19.5h14",
            Self::Pause => "M9 6v12M15 6v12",
            Self::Play => "M8 5.5v13l10.5-6.5z",
            Self::Down => "M6 9.5l6 6 6-6",
            Self::Again => "M19 12a7 7 0 1 1-2.2-5.1M19.4 3.6v4.2h-4.2",
        }
    }
}

#[derive(PartialEq, Properties)]
pub struct IconProps {
    pub shape: Shape,
}

#[component]
pub fn Icon(IconProps { shape }: &IconProps) -> Html {
    html! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d={shape.path()} /></svg>
    }
}

/// The page's mark: a grid of patches, as the network sees a photo, one of them found.
#[component]
pub fn Mark() -> Html {
    html! {
        <svg class="mark" viewBox="0 0 26 26" aria-hidden="true">
            <path d="M1 1h7v7H1zM10 1h7v7h-7zM1 10h7v7H1zM19 10h6v7h-6zM10 19h7v6h-7zM19 19h6v6h-6z" class="mark-patch" />
            <path d="M10 10h7v7h-7z" class="mark-found" />
        </svg>
    }
}
