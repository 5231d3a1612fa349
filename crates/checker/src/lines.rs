//! Places in a source. The analysis counts bytes from 0, editors count UTF-16 code units, and people count from 1.

use luaur::ast::records::lexer::Lexer;
use luaur::ast::records::position::Position;

/// A place in a source as editors and people count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in UTF-16 code units.
    pub column: u32,
}

/// A name in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) start: Position,
    pub(crate) end: Position,
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

    /// Returns the name around a position, or right before it.
    pub(crate) fn word(&self, position: Position) -> Option<Word> {
        let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let (before, after) = self.line(position.line).split_at_checked(position.column as usize)?;
        let start = before.trim_end_matches(is_part).len();
        let end = before.len() + after.len() - after.trim_start_matches(is_part).len();
        let text = self.line(position.line).get(start..end)?;
        if !text.starts_with(|char: char| is_part(char) && !char.is_ascii_digit()) || Lexer::is_reserved(text) {
            return None;
        }
        let at = |column| Some(Position { line: position.line, column: u32::try_from(column).ok()? });
        Some(Word { start: at(start)?, end: at(end)? })
    }

    /// Returns the text between two positions.
    pub(crate) fn between(&self, start: Position, end: Position) -> String {
        let (first, last) = (start.line as usize, end.line as usize);
        let lines = self.0.get(first..=last).unwrap_or_default().join("\n");
        let from_end = self.line(end.line).len().saturating_sub(end.column as usize);
        let to = lines.len().saturating_sub(from_end);
        lines.get(start.column as usize..to).unwrap_or_default().to_owned()
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
    fn words_are_names() {
        let lines = Lines::new("é:send_2(12) end");
        let word = |column| lines.word(Position { line: 0, column }).map(|word| (word.start.column, word.end.column));
        for column in 3..=9 {
            assert_eq!(word(column), Some((3, 9)), "{column}");
        }
        for column in [0, 1, 2, 10, 11, 12, 13, 15, 99] {
            assert_eq!(word(column), None, "{column}");
        }
    }

    #[test]
    fn text_is_found_by_its_ends() {
        let lines = Lines::new("ab\ncde\n");
        let between = |from: (u32, u32), to: (u32, u32)| {
            lines.between(Position { line: from.0, column: from.1 }, Position { line: to.0, column: to.1 })
        };
        assert_eq!(between((0, 1), (1, 2)), "b\ncd");
        assert_eq!(between((1, 1), (1, 3)), "de");
        assert_eq!(between((1, 1), (9, 9)), "");
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
