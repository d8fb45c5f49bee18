//! ```text
//! ┌ 4 Logs  grid-btc ──────────── FOLLOW  last line 3s ago  level>=WARN  /cancel 1 of 3 ┐
//! │ 14:32:01.337 WARN  ws ping rtt 812ms (limit 500ms)                                  │
//! └─────────────────────────────────────────────────────────────────────────────────────┘
//! ┌ 4 Logs  3 bots by time ────────────────────── PAUSED, 12 below; f follows  UTC ┐
//! │ 14:32:01.337 grid-btc W WARN ws ping rtt 812ms (limit 500ms)                   │
//! │ 14:32:01.911 mm-eth   E ERROR cancel rejected id=OAB-702: EOrder:Unknown       │
//! │                         order                                                  │
//! └────────────────────────────────────────────────────────────────────────────────┘
//! ```

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span, Text};

use crate::core::level::Level;
use crate::tui::layout::{log_rows, text_columns};
use crate::tui::log_news;
use crate::tui::log_page::{self, Face, Row};
use crate::tui::logbook::Search;
use crate::tui::model::{Model, Pane};
use crate::tui::{text, theme};

/// The names of bots that are merged differ by these too.
const HINTS: [Color; 4] = [Color::Cyan, Color::Magenta, Color::Green, Color::Blue];

/// Whoever follows is told of so many bytes that have not come.
const LAG: u64 = 64 << 10;

/// The name of a bot in the title is no wider.
const NAME: usize = 24;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let face = Face::of(model, text_columns(area));
    let rows = log_rows(area);
    let page = log_page::rows(&model.log, &face, rows);
    // Corners, the name of the pane, and its blanks.
    let room = usize::from(area.width).saturating_sub(2 + 8 + 2);
    let title = title(model);
    let facts = fitting(facts(model, &face, &page), room.saturating_sub(text::width(&title).min(NAME / 2)));
    let left = room.saturating_sub(facts.iter().map(Span::width).sum());
    let title = text::cut(&title, left, model.signs().more);
    let block = super::parts::pane(model, Pane::Logs, &title, facts);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let lines: Vec<Line<'_>> = if page.is_empty() {
        let columns = text_columns(area);
        let why = |why: String| text::fold(&why, columns);
        let row =
            |row: String| Line::styled(format!(" {}", text::cut(&row, columns, model.signs().more)), theme::faint());
        nothing(model).into_iter().flat_map(why).map(row).collect()
    } else {
        page.iter().map(|row| line(model, &face, row)).collect()
    };
    frame.render_widget(Text::from(lines), inside);
}

/// Whose logs these are, and of which files.
fn title(model: &Model) -> String {
    let log = &model.log;
    let more = model.signs().more;
    match log.view.of.as_slice() {
        [] => String::new(),
        [whose] => {
            let mut title = text::cut(whose.bot.as_str(), NAME, more);
            let output = log.sources.iter().any(|source| source.file.is_none() && source.run.is_some());
            let is_read = |source: &&log_news::SourceSeen| source.trouble.is_none();
            if let Some(file) = log.sources.iter().filter(is_read).find_map(|source| source.file.as_ref()) {
                // With the bot's own output, or alone.
                title.push_str(if output { " + " } else { " " });
                title.push_str(&text::cut(&text::harmless(file), 20, more));
            }
            title
        }
        several => format!("{} bots by time", several.len()),
    }
}

/// Something that the title says, in fewer and fewer words: each with what it is worth. The last one stays.
type Fact = (Vec<(u8, String)>, Style);

/// What the title says beside whose logs these are.
fn facts(model: &Model, face: &Face, page: &[Row<'_>]) -> Vec<Fact> {
    let log = &model.log;
    let fact = |worth: u8, text: String, style: Style| (vec![(worth, text), (u8::MAX, String::new())], style);
    let mut facts: Vec<Fact> = Vec::new();
    let newer = log.ends().newer;
    if log.follows() && log.pauses_for_match(model.now.mono) {
        facts.push((vec![(8, "PAUSED, looking ...".to_owned()), (u8::MAX, "PAUSED".to_owned())], theme::warning()));
    } else if log.follows() {
        // What is just being written is no lag.
        let behind = if newer >= LAG { format!("FOLLOW, {} behind", text::size(newer)) } else { "FOLLOW".to_owned() };
        facts.push((vec![(u8::MAX, behind)], Style::new()));
    } else {
        let below = log_page::below(log, page);
        let below = match (newer, below) {
            (0, lines) => format!("{lines} below"),
            (bytes, 1) => format!("1 line + {} below", text::size(bytes)),
            (bytes, lines) => format!("{lines} lines + {} below", text::size(bytes)),
        };
        let forms = vec![
            (3, format!("PAUSED, {below}; f follows")),
            (8, format!("PAUSED, {below}")),
            (u8::MAX, "PAUSED".to_owned()),
        ];
        facts.push((forms, theme::warning()));
    }
    if log.looks_for_match(model.now.mono) {
        facts.push(fact(6, "looking for a match ...".to_owned(), theme::faint()));
    } else if log.is_on_its_way() || log.is_unheard(model.now.mono) {
        facts.push(fact(6, "reading ...".to_owned(), theme::faint()));
    }
    if let Some(quiet) = log.quiet(model.now.mono) {
        facts.push(fact(4, format!("last line {} ago", text::age(quiet)), Style::new()));
    }
    if let Some(zone) = face.zone_word() {
        facts.push(fact(2, zone, theme::faint()));
    }
    if model.wrap {
        facts.push(fact(1, "wrap".to_owned(), theme::faint()));
    } else if log.sideways > 0 {
        facts.push(fact(5, format!("from column {}", log.sideways + 1), theme::warning()));
    }
    if let Some(least) = log.view.least {
        // Whoever does not see it takes these lines for all.
        let forms = vec![(5, format!("level>={}", least.word())), (u8::MAX, format!(">={}", least.word()))];
        facts.push((forms, theme::strong()));
    }
    if let Some(search) = log.search() {
        facts.push((named(search, model.signs().more), theme::strong()));
    }
    if let Some(missing) = missing(model) {
        facts.push(fact(7, missing, theme::warning()));
    }
    facts
}

/// What is searched for, and how many there are.
fn named(search: &Search, more: &str) -> Vec<(u8, String)> {
    let count = search.count();
    if search.is_for_errors() {
        let count = if search.is_vain() { "none".to_owned() } else { count };
        return vec![(10, format!("errors {count}")), (u8::MAX, String::new())];
    }
    let forms = [20, 8].map(|columns| format!("/{} {count}", text::cut(&text::harmless(&search.text), columns, more)));
    let [long, short] = forms;
    let shortest = format!("/{} {}", text::cut(&text::harmless(&search.text), 4, more), search.brief());
    vec![(6, long), (9, short), (u8::MAX, shortest)]
}

/// What of several sources, or which file, cannot be read. Where there is no line at all the reasons stand below.
fn missing(model: &Model) -> Option<String> {
    let log = &model.log;
    let troubled: Vec<_> = log.sources.iter().filter(|source| source.trouble.is_some()).collect();
    match (log.bot(), troubled.as_slice()) {
        (_, []) => None,
        (Some(_), troubled) => {
            let (source, file) = troubled.iter().find_map(|source| Some((source, source.file.as_ref()?)))?;
            // Something that is there and cannot be read is not to be taken for nothing.
            let is_there = source.trouble.as_ref().is_some_and(|why| !why.ends_with("no such file or directory"));
            let what = if is_there { "cannot read" } else { "no" };
            Some(format!("{what} {}", text::cut(&text::harmless(file), 20, model.signs().more)))
        }
        (None, troubled) => Some(format!("{} of {} have no log", troubled.len(), log.sources.len())),
    }
}

/// The facts in as many words as there is room for: what is worth least gives way first.
fn fitting(mut facts: Vec<Fact>, room: usize) -> Vec<Span<'static>> {
    let taken = |forms: &[(u8, String)]| {
        forms.first().map_or(0, |(_, text)| text::width(text) + 2 * usize::from(!text.is_empty()))
    };
    while facts.iter().map(|(forms, _)| taken(forms)).sum::<usize>() > room {
        let can = facts.iter_mut().filter(|(forms, _)| forms.len() > 1);
        let Some((forms, _)) = can.min_by_key(|(forms, _)| forms.first().map_or(0, |(worth, _)| *worth)) else { break };
        forms.remove(0);
    }
    let first = |(forms, style): Fact| Some((forms.into_iter().next()?.1, style));
    let said = facts.into_iter().filter_map(first).filter(|(text, _)| !text.is_empty());
    said.map(|(text, style)| Span::styled(format!(" {text} "), style)).collect()
}

/// Why there is no line.
fn nothing(model: &Model) -> Vec<String> {
    let log = &model.log;
    if log.view.of.is_empty() {
        return vec!["no bot is chosen".to_owned()];
    }
    let why = |source: &log_news::SourceSeen| {
        let why = text::harmless(source.trouble.as_ref()?);
        Some(if log.view.of.len() > 1 { format!("{}: {why}", source.bot) } else { why })
    };
    let whys: Vec<String> = log.sources.iter().filter_map(why).collect();
    if !whys.is_empty() {
        return whys;
    }
    let nothing = match (log.is_told(), log.sources.is_empty(), log.view.least) {
        (false, true, _) => "opening ...".to_owned(),
        (_, _, Some(_)) if !log.ends().at_start => "looking ...".to_owned(),
        (_, _, None) if !log.ends().at_start || log.ends().newer > 0 => "reading ...".to_owned(),
        (_, _, Some(least)) => format!("no line is at least {}; v shows others", least.word()),
        (_, _, None) => "nothing written yet".to_owned(),
    };
    vec![nothing]
}

fn line<'m>(model: &'m Model, face: &Face, row: &Row<'m>) -> Line<'m> {
    let log = &model.log;
    let plain = match row.line.level {
        _ if row.line.ours => theme::faint(),
        Some(Level::Debug) => theme::faint(),
        Some(Level::Info) | None => Style::new(),
        Some(Level::Warning) => theme::warning(),
        Some(Level::Error) => theme::bad(),
    };
    let search = log.search();
    let stands = search.is_some_and(|search| search.at.is_some_and(|(at, _)| at == row.number));
    let style = if stands { plain.patch(theme::chosen()) } else { plain };
    let more = model.signs().more;
    let mut spans = vec![Span::raw(" ")];
    if row.is_first {
        spans.push(Span::styled(face.stamp(row.line), theme::faint()));
        if face.name > 0 {
            let names = || log.view.of.iter().map(|whose| whose.bot.as_str());
            let name = log.view.of.get(row.line.of).map_or("?", |whose| whose.bot.as_str());
            let hint = HINTS.get(row.line.of % HINTS.len()).map_or(Style::new(), |color| Style::new().fg(*color));
            spans.push(Span::styled(
                format!("{} ", text::fit(&text::cut_name(name, names(), face.name, more), face.name, more)),
                hint,
            ));
        }
        spans.push(Span::styled(face.level(row.line), plain));
        spans.push(Span::styled(face.file(row.line), style));
    } else {
        spans.push(Span::raw(" ".repeat(face.lead())));
    }
    let part = &row.part;
    if part.before {
        spans.push(Span::styled(more, style));
    }
    spans.push(Span::styled(" ".repeat(part.indent), if row.is_first { style } else { Style::new() }));
    let text = row.line.text.as_str();
    let mut found = Vec::new();
    if let Some(pattern) = search.and_then(|search| search.pattern.as_ref()) {
        found.extend(pattern.find_iter(text).map(|found| found.range()).filter(|range| touch(range, &part.bytes)));
    }
    let colors: Vec<_> = row.line.colors.iter().filter(|(range, _)| touch(range, &part.bytes)).collect();
    let ends = colors.iter().map(|(range, _)| range).chain(&found).flat_map(|range| [range.start, range.end]);
    let inside = |at: &usize| part.bytes.contains(at) && text.is_char_boundary(*at);
    let mut cuts: Vec<usize> = ends.filter(inside).chain([part.bytes.start, part.bytes.end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    for (from, to) in cuts.iter().zip(cuts.iter().skip(1)) {
        let holds = |range: &Range<usize>| range.start <= *from && *to <= range.end;
        let mut own = colors.iter().filter(|(range, _)| holds(range)).fold(plain, |style, (_, own)| style.patch(*own));
        if found.iter().any(holds) {
            own = own.patch(theme::found());
        }
        if stands {
            own = own.patch(theme::chosen());
        }
        spans.push(Span::styled(text.get(*from..*to).unwrap_or_default(), own));
    }
    if part.after {
        spans.push(Span::styled(more, style));
    }
    Line::from(spans)
}

/// Whether two ranges have a byte in common.
const fn touch(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}
