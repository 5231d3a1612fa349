//! Places in a source. The analysis counts bytes from 0; an editor counts lines and UTF-16 code units, and people from 1.

use luaur::ast::records::position::Position;

/// A place in a source as people and editors count: line and column from 1, columns in UTF-16 code units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// From 1, in UTF-16 code units.
    pub column: u32,
}

/// The lines of a source.
pub(crate) struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self(source.split('\n').collect())
    }

    pub(crate) fn place(&self, position: Position) -> Place {
        let before: u32 = self
            .line(position.line)
            .char_indices()
            .take_while(|(start, _)| *start < position.column as usize)
            .map(|(_, char)| width(char))
            .sum();
        Place { line: position.line.saturating_add(1), column: before.saturating_add(1) }
    }

    pub(crate) fn position(&self, place: Place) -> Position {
        let line = place.line.saturating_sub(1);
        let mut left = place.column.saturating_sub(1);
        let mut column = 0;
        for char in self.line(line).chars() {
            if left < width(char) {
                break;
            }
            left -= width(char);
            column += char.len_utf8();
        }
        Position { line, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }

    fn line(&self, index: u32) -> &'a str {
        self.0.get(index as usize).copied().unwrap_or_default()
    }
}

fn width(char: char) -> u32 {
    if char.len_utf16() == 2 { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_utf_16() {
        let lines = Lines::new("a\n  é😀x\r\n");
        for (byte, column) in [(0, 1), (2, 3), (4, 4), (8, 6), (9, 7)] {
            let position = Position { line: 1, column: byte };
            let place = Place { line: 2, column };
            assert_eq!(lines.place(position), place);
            assert_eq!(lines.position(place), position);
        }
    }

    #[test]
    fn places_outside_are_at_an_end() {
        let lines = Lines::new("ab");
        assert_eq!(lines.place(Position { line: 0, column: 9 }), Place { line: 1, column: 3 });
        assert_eq!(lines.place(Position { line: 5, column: 9 }), Place { line: 6, column: 1 });
        assert_eq!(lines.position(Place { line: 1, column: 9 }), Position { line: 0, column: 2 });
        assert_eq!(lines.position(Place { line: 0, column: 0 }), Position { line: 0, column: 0 });
    }
}
