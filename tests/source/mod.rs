//! Reads Rust source as far as the checks need it: code without comments, texts and tests, and who imports whom.

use std::collections::{BTreeMap, BTreeSet};

/// One source file.
pub struct Source {
    /// As it is.
    pub text: String,
    /// Without comments, texts and tests, line for line.
    pub code: String,
}

impl Source {
    /// A file with this text.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), code: code_of(text) }
    }
}

/// The code of a file: comments, the insides of texts, and inline tests are blank, and every line is where it was.
pub fn code_of(text: &str) -> String {
    without_tests(&without_comments(text))
}

fn without_comments(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    let blank = |code: &mut String, part: &[char]| {
        code.extend(part.iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
    };
    while at < bytes.len() {
        let rest = &bytes[at..];
        let named = at > 0 && (bytes[at - 1].is_alphanumeric() || bytes[at - 1] == '_');
        let length = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => string(rest),
            ['r', '"' | '#', ..] if !named => raw_string(&rest[1..]).map_or(0, |length| length + 1),
            ['b', 'r', '"' | '#', ..] if !named => raw_string(&rest[2..]).map_or(0, |length| length + 2),
            ['\'', '\\', ..] => 2 + rest[3.min(rest.len())..].iter().position(|c| *c == '\'').map_or(1, |end| end + 2),
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        if length == 0 {
            code.push(bytes[at]);
            at += 1;
        } else {
            blank(&mut code, &rest[..length.min(rest.len())]);
            at += length;
        }
    }
    code
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest.iter().take_while(|c| **c == '#').count();
    if rest.get(hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let from = hashes + 1;
    let length = rest[from..].windows(end.len()).position(|window| window == end);
    Some(length.map_or(rest.len(), |length| from + length + end.len()))
}

/// Blanks the body of every item that is there for tests alone.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        let item = &rest[at..];
        let end = item.find([';', '{']).map_or(item.len(), |open| {
            if item[open..].starts_with(';') { open + 1 } else { open + block(&item[open..]) }
        });
        // A file of tests is told by what stays of this: `#[cfg(test)] mod tests;`.
        if item[..end].ends_with(';') {
            out.push_str(&item[..end]);
        } else {
            out.extend(item[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = &item[end..];
    }
    out.push_str(rest);
    out
}

/// The length of what stands in braces.
fn block(code: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

type Graph = BTreeMap<String, BTreeSet<String>>;
type Path = Vec<String>;

/// Which file uses which others. Files of tests are left out; so is what a `mod.rs` merely passes on from the files
/// below it: who uses that, uses the file that has it.
pub fn imports(sources: &BTreeMap<String, Source>) -> Graph {
    let tests = test_files(sources);
    let files: BTreeMap<Path, String> = sources
        .keys()
        .filter(|name| !tests.contains(*name))
        .map(|name| (module(name), name.clone()))
        .filter(|(path, _)| !path.is_empty())
        .collect();
    let passed_on: BTreeMap<String, BTreeMap<String, Path>> = sources
        .iter()
        .filter(|(name, _)| name.ends_with("mod.rs"))
        .map(|(name, source)| (name.clone(), passed_on(name, source)))
        .collect();
    sources
        .iter()
        .filter(|(name, _)| !tests.contains(*name))
        .map(|(name, source)| {
            let uses: BTreeSet<String> = paths(name, source)
                .iter()
                .filter_map(|path| resolve(path, &files, &passed_on, 8))
                .filter(|used| used != name)
                .collect();
            (name.clone(), uses)
        })
        .collect()
}

/// `core/bot.rs` is `core::bot`, `core/mod.rs` is `core`, `lib.rs` is the crate itself.
fn module(name: &str) -> Path {
    let name = name.trim_end_matches(".rs");
    let mut path: Path = name.split('/').map(str::to_owned).collect();
    if matches!(path.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        path.pop();
    }
    path
}

fn test_files(sources: &BTreeMap<String, Source>) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for (name, source) in sources {
        let mut rest = source.code.as_str();
        while let Some(at) = rest.find("#[cfg(test)]") {
            rest = &rest[at + 12..];
            let item = rest[..rest.find(';').unwrap_or(rest.len())].trim();
            if let Some(child) = item.strip_prefix("mod ") {
                let mut path = module(name);
                path.push(child.trim().to_owned());
                let base = path.join("/");
                tests.extend(
                    sources
                        .keys()
                        .filter(|name| **name == format!("{base}.rs") || name.starts_with(&format!("{base}/")))
                        .cloned(),
                );
            }
        }
    }
    tests
}

fn resolve(
    path: &[String],
    files: &BTreeMap<Path, String>,
    passed_on: &BTreeMap<String, BTreeMap<String, Path>>,
    depth: u8,
) -> Option<String> {
    let length = (1..=path.len()).rev().find(|length| files.contains_key(&path[..*length]))?;
    let file = &files[&path[..length]];
    let further = path.get(length).and_then(|name| passed_on.get(file)?.get(name));
    match further {
        Some(further) if depth > 0 => resolve(further, files, passed_on, depth - 1),
        Some(_) | None => Some(file.clone()),
    }
}

/// The names that a `mod.rs` passes on from the files below it, and where they are.
fn passed_on(name: &str, source: &Source) -> BTreeMap<String, Path> {
    let own = module(name);
    statements(&source.code)
        .filter(|(public, _)| *public)
        .flat_map(|(_, tokens)| trees(&tokens))
        .filter(|path| path.first().is_some_and(|first| !matches!(first.as_str(), "crate" | "super" | "std")))
        .filter_map(|path| Some((path.last()?.clone(), own.iter().cloned().chain(path).collect())))
        .collect()
}

/// Every path of the crate that a file names, from the crate's root on.
fn paths(name: &str, source: &Source) -> Vec<Path> {
    let own = module(name);
    let is_contents = name.ends_with("mod.rs");
    let children: BTreeSet<String> = source
        .code
        .split(';')
        .filter_map(|item| item.rsplit_once("mod ").map(|(_, child)| child.trim().to_owned()))
        .collect();
    let mut found = Vec::new();
    // A `mod.rs` names the files below it without saying where they are.
    for (public, tokens) in statements(&source.code) {
        for path in trees(&tokens) {
            let below = path.first().is_some_and(|first| children.contains(first));
            if below && !(public && is_contents) {
                found.push(own.iter().cloned().chain(path).collect());
            }
        }
    }
    let tokens = tokens(&source.code);
    for (at, token) in tokens.iter().enumerate() {
        let starts = matches!(token.as_str(), "crate" | "super" | "self" | "botwarden")
            && tokens.get(at + 1).is_some_and(|next| next == "::")
            && (at == 0 || tokens[at - 1] != "::");
        if starts {
            found.extend(trees(&tokens[at..]).into_iter().filter_map(|path| from_root(&own, &path)));
        }
    }
    found
}

fn from_root(own: &[String], path: &[String]) -> Option<Path> {
    let mut base = own.to_vec();
    let mut rest = path;
    match rest.first()?.as_str() {
        "crate" | "botwarden" => {
            base.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        _ => {
            while rest.first().is_some_and(|segment| segment == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// Every `use`, and whether it is public.
fn statements(code: &str) -> impl Iterator<Item = (bool, Vec<String>)> + '_ {
    code.split(';').filter_map(|item| {
        let tokens = tokens(item);
        let at = tokens.iter().rposition(|token| token == "use")?;
        let public = tokens[..at].iter().rev().take(4).any(|token| token == "pub");
        Some((public, tokens[at + 1..].to_vec()))
    })
}

fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() || c == '_' {
            let mut name = String::from(c);
            while let Some(next) = chars.next_if(|next| next.is_alphanumeric() || *next == '_') {
                name.push(next);
            }
            tokens.push(name);
        } else if c == ':' && chars.next_if_eq(&':').is_some() {
            tokens.push("::".into());
        } else if !c.is_whitespace() {
            tokens.push(c.into());
        }
    }
    tokens
}

/// The paths of the tree that begins here: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn trees(tokens: &[String]) -> Vec<Path> {
    let mut found = Vec::new();
    let mut at = 0;
    tree(tokens, &mut at, &[], &mut found);
    found
}

fn tree(tokens: &[String], at: &mut usize, prefix: &[String], found: &mut Vec<Path>) {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(*at).map(String::as_str) {
            Some("{") => {
                *at += 1;
                while tokens.get(*at).is_some_and(|token| token != "}") {
                    let before = *at;
                    tree(tokens, at, &path, found);
                    if tokens.get(*at).is_some_and(|token| token == ",") || *at == before {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            Some("self") if !path.is_empty() => *at += 1,
            Some(name) if name.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                path.push(name.to_owned());
                *at += 1;
            }
            _ => break,
        }
        if tokens.get(*at).is_none_or(|token| token != "::") {
            break;
        }
        *at += 1;
    }
    if tokens.get(*at).is_some_and(|token| token == "as") {
        *at += 2;
    }
    if tokens.get(*at).is_some_and(|token| token == "*") {
        *at += 1;
    }
    if !path.is_empty() {
        found.push(path);
    }
}

/// Everything that can be come to from these files, themselves included.
pub fn reach(graph: &Graph, from: BTreeSet<String>) -> BTreeSet<String> {
    let mut seen = from.clone();
    let mut next: Vec<String> = from.into_iter().collect();
    while let Some(name) = next.pop() {
        for used in graph.get(&name).into_iter().flatten() {
            if seen.insert(used.clone()) {
                next.push(used.clone());
            }
        }
    }
    seen
}

/// Sets of files each of which can be come to from each other one, sorted.
pub fn cycles(graph: &Graph) -> Vec<Vec<String>> {
    let from = |name: &String| reach(graph, graph.get(name).cloned().unwrap_or_default());
    let reached: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|name| (name, from(name))).collect();
    let sets: BTreeSet<Vec<String>> = graph
        .keys()
        .filter(|name| reached[*name].contains(*name))
        .map(|name| {
            graph
                .keys()
                .filter(|other| reached[name].contains(*other) && reached[*other].contains(name))
                .cloned()
                .collect()
        })
        .collect();
    sets.into_iter().collect()
}
