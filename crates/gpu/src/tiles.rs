//! The tile of each product: the fastest of those that were timed, else by the product's size.

use crate::kernel::Tile;
use crate::weights::Format;
use beit::backend::Arithmetic;
use std::fmt;
use std::str::FromStr;

/// Tiles that were chosen by timing ([`Gpu::tune`](crate::Gpu::tune)), to be remembered as text for this adapter and
/// driver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiles(Vec<Choice>);

/// The fastest tile of products of this kind and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub format: Format,
    pub arithmetic: Arithmetic,
    pub rows: usize,
    /// Of 64 columns.
    pub panels: usize,
    pub tile: Tile,
}

/// A text that doesn't stand for tiles: of another version, or damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of tiles: {0:?}")]
pub struct NoTiles(String);

impl Tiles {
    pub(crate) fn push(&mut self, choice: Choice) {
        self.0.push(choice);
    }

    /// Whether nothing was timed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tile that was fastest for the product that is nearest to this one in the number of its outputs. None if no
    /// product of this kind was timed, or all of them have more than twice the rows.
    pub(crate) fn get(
        &self,
        format: Format,
        arithmetic: Arithmetic,
        rows: usize,
        panels: usize,
    ) -> Option<Tile> {
        let outputs = |rows: usize, panels: usize| ((rows * panels).max(1) as f64).ln();
        let wanted = outputs(rows, panels);
        let distance = |choice: &&Choice| (outputs(choice.rows, choice.panels) - wanted).abs();
        let of_kind = |choice: &&Choice| {
            choice.format == format && choice.arithmetic == arithmetic && choice.rows <= 2 * rows
        };
        let nearest = self.0.iter().filter(of_kind).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.map(|choice| choice.tile)
    }
}

/// `FORMAT ARITHMETIC ROWS PANELS TILE`, separated by semicolons.
impl fmt::Display for Tiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Choice { format, arithmetic, rows, panels, tile }) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ";" };
            write!(f, "{separator}{format:?} {} {rows} {panels} {tile:?}", arithmetic.name())?;
        }
        Ok(())
    }
}

impl FromStr for Tiles {
    type Err = NoTiles;

    fn from_str(text: &str) -> Result<Self, NoTiles> {
        let choices = text.split(';').filter(|part| !part.is_empty()).map(choice);
        choices.collect::<Option<_>>().map(Self).ok_or_else(|| NoTiles(text.into()))
    }
}

fn choice(text: &str) -> Option<Choice> {
    let mut words = text.split(' ');
    let mut word = || words.next();
    let format = word()?;
    let arithmetic = word()?;
    let (rows, panels) = (word()?.parse().ok()?, word()?.parse().ok()?);
    let tile = word()?;
    let choice = Choice {
        format: Format::ALL.into_iter().find(|known| format!("{known:?}") == format)?,
        arithmetic: Arithmetic::ALL.into_iter().find(|known| known.name() == arithmetic)?,
        rows,
        panels,
        tile: Tile::ALL.into_iter().find(|known| format!("{known:?}") == tile)?,
    };
    word().is_none().then_some(choice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiles() -> Tiles {
        let choice =
            |arithmetic, rows, panels, tile| Choice { format: Format::Q8_0, arithmetic, rows, panels, tile };
        Tiles(vec![
            choice(Arithmetic::F16, 197, 16, Tile::Low),
            choice(Arithmetic::F16, 197, 64, Tile::Middle),
            choice(Arithmetic::F16, 1576, 64, Tile::Tall),
            choice(Arithmetic::Int8, 197, 16, Tile::Tall),
        ])
    }

    #[test]
    fn the_nearest_product_of_the_same_kind_decides() {
        let get = |arithmetic, rows, panels| tiles().get(Format::Q8_0, arithmetic, rows, panels);
        assert_eq!(get(Arithmetic::F16, 197, 16), Some(Tile::Low));
        assert_eq!(get(Arithmetic::F16, 197, 48), Some(Tile::Middle));
        assert_eq!(get(Arithmetic::F16, 394, 64), Some(Tile::Middle));
        assert_eq!(get(Arithmetic::F16, 1576, 16), Some(Tile::Middle), "25,216 outputs are nearer to 12,608");
        assert_eq!(get(Arithmetic::F16, 3152, 64), Some(Tile::Tall));
        assert_eq!(get(Arithmetic::Int8, 1576, 64), Some(Tile::Tall));
        assert_eq!(get(Arithmetic::F32, 197, 16), None);
        assert_eq!(tiles().get(Format::Q4_0, Arithmetic::F16, 197, 16), None);
    }

    /// The head's product has a row a photo: what was timed says nothing about it.
    #[test]
    fn a_product_of_few_rows_is_not_decided_by_large_ones() {
        assert_eq!(tiles().get(Format::Q8_0, Arithmetic::F16, 8, 16), None);
        assert_eq!(Tiles::default().get(Format::Q8_0, Arithmetic::F16, 197, 16), None);
    }

    #[test]
    fn tiles_come_back_from_their_text() {
        let text = tiles().to_string();
        assert!(text.starts_with("Q8_0 F16 197 16 Low;Q8_0 F16 197 64 Middle;"), "{text}");
        assert_eq!(text.parse::<Tiles>().unwrap(), tiles());
        assert!("".parse::<Tiles>().unwrap().is_empty());
        for damaged in ["Q8_0 F16 197 16", "Q8_0 F16 197 16 Huge", "Q8_0 F16 x 16 Low", "Q8_0 F16 1 1 Low 2"]
        {
            assert_eq!(damaged.parse::<Tiles>(), Err(NoTiles(damaged.into())));
        }
    }
}
