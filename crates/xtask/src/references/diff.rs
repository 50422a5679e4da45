//! Where two texts differ: the lines between their common beginning and their common end.

/// Most lines shown of each side.
const SHOWN_MAX: usize = 20;

/// `-` lines of `old` and `+` lines of `new`, with the line where they begin.
pub(super) fn lines(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (gone, come) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let mut text = format!("@@ line {} @@\n", head + 1);
    for (sign, side) in [('-', gone), ('+', come)] {
        for line in side.iter().take(SHOWN_MAX) {
            text.push_str(&format!("{sign} {line}\n"));
        }
        if side.len() > SHOWN_MAX {
            text.push_str(&format!("{sign} and {} more lines\n", side.len() - SHOWN_MAX));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_middle_only() {
        assert_eq!(lines("a\nb\nc\n", "a\nx\ny\nc\n"), "@@ line 2 @@\n- b\n+ x\n+ y\n");
        assert_eq!(lines("", "a\n"), "@@ line 1 @@\n+ a\n");
        assert_eq!(lines("a\na\n", "a\n"), "@@ line 2 @@\n- a\n");
        assert!(lines("", &"z\n".repeat(30)).ends_with("+ and 10 more lines\n"));
    }
}
