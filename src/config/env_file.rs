//! A bot's file of further variables, usually secrets: `KEY=VALUE` lines. It is read at each spawn and never copied
//! anywhere, and no error says anything of what stands in it but names of variables.
//!
//! ```text
//! # A comment, and blank lines, are passed over.
//! API_KEY=abc123
//! export REGION=eu               # `export ` is passed over
//! QUOTED='as it stands, $HOME and all'
//! ESCAPED="line one\nline two, a \" and a \\ and a \$"
//! ```
//!
//! Nothing is expanded. What could be meant in two ways is an error: a secret that was read wrongly is hard to find.

use std::path::Path;

use super::file::{bytes, open, open_to_others, without_mark};
use super::values::variable;

/// Every variable of a file, in its order.
///
/// # Errors
/// With a sentence that names the file, if it cannot be read, if others may use it, or if a line is none.
pub fn read(path: &Path) -> Result<Vec<(String, String)>, String> {
    let at = |message: String| format!("{}: {message}", path.display());
    let (file, about) = open(path).map_err(at)?;
    if open_to_others(&about) {
        return Err(at(format!("holds secrets, and others may use it: chmod 600 {}", path.display())));
    }
    let bytes = bytes(file).map_err(at)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        format!("{}:{line}: is not UTF-8", path.display())
    })?;
    parse(text).map_err(|(line, message)| format!("{}:{line}: {message}", path.display()))
}

fn parse(text: &str) -> Result<Vec<(String, String)>, (usize, String)> {
    let mut variables: Vec<(String, String, usize)> = Vec::new();
    for (number, line) in without_mark(text).lines().enumerate().map(|(index, line)| (index + 1, line)) {
        let Some((name, value)) = variable_of(line).map_err(|message| (number, message))? else { continue };
        if let Some((_, _, first)) = variables.iter().find(|(other, ..)| other == name) {
            return Err((number, format!("{name} is set twice, first on line {first}")));
        }
        variables.push((name.to_owned(), value, number));
    }
    Ok(variables.into_iter().map(|(name, value, _)| (name, value)).collect())
}

fn variable_of(line: &str) -> Result<Option<(&str, String)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    // The line itself is never shown: without its '=', all of it may be the secret.
    let (name, value) = line.split_once('=').ok_or("has no '='; write NAME=VALUE")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("what stands before the '=' is no name of a variable; write NAME=VALUE, without blanks".to_owned());
    }
    variable(name).map_err(|why| format!("{name} {why}"))?;
    let value = value_of(value.trim()).map_err(|why| format!("the value of {name} {why}"))?;
    if value.contains('\0') {
        return Err(format!("the value of {name} has a NUL character in it"));
    }
    Ok(Some((name, value)))
}

fn value_of(text: &str) -> Result<String, &'static str> {
    let mut chars = text.chars();
    let (value, rest) = match chars.next() {
        Some('\'') => {
            let (value, rest) = chars.as_str().split_once('\'').ok_or("starts with a quote that does not end")?;
            (value.to_owned(), rest)
        }
        Some('"') => double_quoted(chars.as_str())?,
        Some(_) | None if text.starts_with('#') || text.contains(" #") || text.contains("\t#") => {
            return Err("has a ' #' in it: put it in quotes, or the comment on a line of its own");
        }
        Some(_) | None => return Ok(text.to_owned()),
    };
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with('#') { Ok(value) } else { Err("goes on after its quote has ended") }
}

fn double_quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok((value, chars.as_str())),
            '\\' => value.push(match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(same @ ('"' | '\\' | '$')) => same,
                Some(_) | None => {
                    return Err("has a backslash before what needs none: use single quotes, or write \\\\");
                }
            }),
            _ => value.push(c),
        }
    }
    Err("starts with a quote that does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Result<Vec<(String, String)>, (usize, String)> {
        parse(text)
    }

    #[test]
    fn lines_of_every_kind_are_read() {
        let text = "\u{feff}# keys\r\n\r\nA=1\r\nexport B = 2\nC='x # $y'  # why\nD=\"a\\nb\\\"\\\\\\$\"\nE=\n F.G-H=it's a=b\n";
        // "B " has a blank before its '=', which a shell would not take either.
        assert_eq!(pairs(text).expect_err("a blank").0, 4);
        let text = text.replace("B = 2", "B=2");
        let expected = [("A", "1"), ("B", "2"), ("C", "x # $y"), ("D", "a\nb\"\\$"), ("E", ""), ("F.G-H", "it's a=b")];
        let expected: Vec<_> = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(pairs(&text), Ok(expected));
    }

    #[test]
    fn no_error_tells_a_secret() {
        for text in [
            "hunter2",
            "export hunter2",
            "hunter2 x=1",
            "=hunter2",
            "K='hunter2",
            "K=\"hunter2",
            "K=\"hunter2\\q\"",
            "K='a' hunter2",
            "K=hunter2 # no",
            "NOTIFY_SOCKET=hunter2",
            "BOTWARDEN_RUN=hunter2",
            "K=hunter2\nK=hunter2",
            "K=hunter2\0",
            "1=hunter2",
        ] {
            let (line, message) = pairs(text).expect_err(text);
            assert!(!message.contains("hunter2"), "{message}");
            assert_eq!(line, text.lines().count(), "{text}");
        }
    }
}
