//! Themes. Everything is drawn in the sixteen named colours, as roles: green is well, red is bad, yellow wants a look. A
//! theme says which colours those are, and is put on at the end of drawing, in one place. What a bot chose from the
//! larger palettes stays as it is, and so does what it put on a background of its own.

use ratatui::style::Color;

use crate::core::ui::{Theme, UiSettings};

use super::effect::{Effect, tell};
use super::model::{Model, Tone};

/// The theme that the screen wears: without colours where none may be used.
pub const fn worn(model: &Model) -> Theme {
    if model.fixed.color { model.theme } else { Theme::Mono }
}

/// What this colour is in this theme. Told apart from the background by anybody who can read at all, which a test
/// computes: a contrast of 3 or more.
#[rustfmt::skip]
pub const fn color(theme: Theme, role: Color) -> Color {
    match (theme, role) {
        (Theme::Mono, _) => Color::Reset,
        // The blue of most terminals cannot be read on black.
        (Theme::Dark, Color::Blue)                                 => Color::LightBlue,
        (Theme::Dark, other)                                       => other,
        (Theme::Light, Color::Green | Color::LightGreen)           => Color::Indexed(28),
        (Theme::Light, Color::Cyan | Color::LightCyan)             => Color::Indexed(30),
        (Theme::Light, Color::Yellow | Color::LightYellow)         => Color::Indexed(130),
        (Theme::Light, Color::Red | Color::LightRed)               => Color::Indexed(160),
        (Theme::Light, Color::Magenta | Color::LightMagenta)       => Color::Indexed(127),
        (Theme::Light, Color::Blue | Color::LightBlue)             => Color::Indexed(26),
        (Theme::Light, Color::Gray | Color::DarkGray)              => Color::Indexed(240),
        (Theme::Light, Color::White)                               => Color::Indexed(236),
        (Theme::Light, other)                                      => other,
        // Blue is well and orange is bad: nobody takes one for the other, whichever cones are missing.
        (Theme::Colorblind, Color::Green | Color::LightGreen)      => Color::Indexed(39),
        (Theme::Colorblind, Color::Red | Color::LightRed)          => Color::Indexed(208),
        (Theme::Colorblind, Color::Yellow | Color::LightYellow)    => Color::Indexed(229),
        (Theme::Colorblind, Color::Cyan | Color::LightCyan)        => Color::Indexed(159),
        (Theme::Colorblind, Color::Magenta | Color::LightMagenta)  => Color::Indexed(133),
        (Theme::Colorblind, Color::Blue | Color::LightBlue)        => Color::Indexed(63),
        (Theme::Colorblind, Color::Gray | Color::DarkGray)         => Color::Indexed(250),
        (Theme::Colorblind, other)                                 => other,
    }
}

/// Takes in what the configuration says. What has not changed there does not overturn what was chosen by hand.
pub(super) fn hear(model: &mut Model, settings: UiSettings) {
    let before = model.ui.replace(settings);
    if before.is_none_or(|before| before.theme != settings.theme) {
        model.theme = settings.theme;
    }
    if before.is_none_or(|before| before.timestamps != settings.timestamps) {
        model.stamps = settings.timestamps;
    }
}

/// The next theme.
pub(super) fn next(model: &mut Model, effects: &mut Vec<Effect>) {
    wear(model, effects, model.theme.next());
}

/// This theme, and no other.
pub(super) fn wear(model: &mut Model, effects: &mut Vec<Effect>, theme: Theme) {
    if model.fixed.color {
        model.theme = theme;
        tell(model, effects, Tone::Plain, format!("theme: {}", theme.word()));
    } else {
        tell(model, effects, Tone::Plain, "theme: mono (NO_COLOR or --no-color allows no other)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::cluster_status::ClusterState;
    use crate::core::progress::Standing;
    use crate::core::state::State;
    use crate::tui::model::Fixed;
    use crate::tui::theme;

    type Rgb = [f64; 3];

    /// What xterm shows for a colour.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other is used")]
    fn xterm(color: Color) -> Rgb {
        let rgb = |r: u8, g: u8, b: u8| [r, g, b].map(f64::from);
        match color {
            Color::Red => rgb(205, 0, 0),
            Color::Green => rgb(0, 205, 0),
            Color::Yellow => rgb(205, 205, 0),
            Color::Blue => rgb(0, 0, 238),
            Color::Magenta => rgb(205, 0, 205),
            Color::Cyan => rgb(0, 205, 205),
            Color::Gray => rgb(229, 229, 229),
            Color::DarkGray => rgb(127, 127, 127),
            Color::LightRed => rgb(255, 0, 0),
            Color::LightGreen => rgb(0, 255, 0),
            Color::LightYellow => rgb(255, 255, 0),
            Color::LightBlue => rgb(92, 92, 255),
            Color::LightMagenta => rgb(255, 0, 255),
            Color::LightCyan => rgb(0, 255, 255),
            Color::White => rgb(255, 255, 255),
            Color::Indexed(index @ 16..=231) => {
                let step = |n: u8| [0.0, 95.0, 135.0, 175.0, 215.0, 255.0][usize::from(n % 6)];
                let index = index - 16;
                [step(index / 36), step(index / 6), step(index)]
            }
            Color::Indexed(index @ 232..) => [8.0 + 10.0 * f64::from(index - 232); 3],
            other => panic!("{other:?} has no fixed look"),
        }
    }

    fn linear(rgb: Rgb) -> Rgb {
        rgb.map(|value| {
            let value = value / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn mixed(rgb: Rgb, by: Rgb) -> f64 {
        rgb.iter().zip(by).map(|(value, by)| value * by).sum()
    }

    /// Contrast after the WCAG.
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let [one, other] = [one, other].map(|rgb| mixed(linear(rgb), [0.2126, 0.7152, 0.0722]) + 0.05);
        one.max(other) / one.min(other)
    }

    /// How a colour looks to somebody who has no cones for red, or none for green (Machado, Oliveira and Fernandes).
    fn without(cones: [Rgb; 3], rgb: Rgb) -> Rgb {
        let rgb = linear(rgb);
        cones.map(|row| {
            let value = mixed(rgb, row).clamp(0.0, 1.0);
            255.0 * if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 }
        })
    }

    const NO_RED: [Rgb; 3] =
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]];
    const NO_GREEN: [Rgb; 3] =
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]];

    /// Every colour that the table of looks uses.
    fn roles() -> Vec<Color> {
        let standings = [Standing::Ahead, Standing::UnderWay, Standing::Done, Standing::Skipped, Standing::Failed]
            .map(theme::standing);
        let mut roles: Vec<Color> = State::ALL
            .iter()
            .map(|state| theme::state(*state).style)
            .chain(ClusterState::ALL.iter().map(|state| theme::cluster(*state).style))
            .chain(standings.map(|(_, _, style)| style))
            .chain([theme::good(), theme::warning(), theme::bad(), theme::found(), theme::faint(), theme::chosen()])
            .filter_map(|style| style.fg)
            .collect();
        roles.sort_by_key(|color| format!("{color:?}"));
        roles.dedup();
        roles
    }

    #[test]
    fn every_colour_can_be_read_on_its_background() {
        let (black, white) = ([0.0; 3], [255.0; 3]);
        assert!(roles().len() >= 6, "{:?}", roles());
        for (theme, background) in [(Theme::Dark, black), (Theme::Light, white), (Theme::Colorblind, black)] {
            for role in roles() {
                let contrast = contrast(xterm(color(theme, role)), background);
                assert!(contrast >= 3.0, "{} of {}: {contrast:.1}", role, theme.word());
            }
        }
        // What a bot writes in the other named colours is read on white too.
        for named in [Color::LightGreen, Color::LightYellow, Color::LightCyan, Color::White, Color::DarkGray] {
            assert!(contrast(xterm(color(Theme::Light, named)), white) >= 3.0, "{named}");
        }
    }

    #[test]
    fn no_two_colours_of_the_colour_blind_theme_look_alike_to_whom_it_is_for() {
        let roles = roles();
        for (number, one) in roles.iter().enumerate() {
            for other in &roles[number + 1..] {
                for cones in [NO_RED, NO_GREEN] {
                    let [a, b] = [one, other].map(|role| without(cones, xterm(color(Theme::Colorblind, *role))));
                    let apart = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                    assert!(apart >= 40.0, "{one} and {other} are {apart:.0} apart");
                }
            }
        }
        // The check finds fault with what everybody knows to be wrong.
        let [red, green] = [Color::Red, Color::Green].map(|color| without(NO_GREEN, xterm(color)));
        let hues = [red, green].map(|rgb| rgb[2]);
        assert!((hues[0] - hues[1]).abs() < 80.0);
    }

    #[test]
    fn mono_has_no_colours_and_what_a_bot_chose_passes_elsewhere() {
        for chosen in [Color::Rgb(1, 2, 3), Color::Indexed(9), Color::Reset] {
            assert_eq!(color(Theme::Mono, chosen), Color::Reset);
            for theme in [Theme::Dark, Theme::Light, Theme::Colorblind] {
                assert_eq!(color(theme, chosen), chosen);
            }
        }
    }

    #[test]
    fn what_the_configuration_says_again_does_not_overturn_what_was_chosen() {
        let mut model = Model::new(Fixed { color: true, ..Fixed::default() });
        let light = UiSettings { theme: Theme::Light, ..UiSettings::default() };
        hear(&mut model, light);
        assert_eq!(model.theme, Theme::Light);
        wear(&mut model, &mut Vec::new(), Theme::Mono);
        hear(&mut model, light);
        assert_eq!(model.theme, Theme::Mono);
        hear(&mut model, UiSettings::default());
        assert_eq!(model.theme, Theme::Dark);
    }

    #[test]
    fn where_no_colour_is_allowed_every_theme_is_mono() {
        let mut model = Model::new(Fixed::default());
        next(&mut model, &mut Vec::new());
        assert_eq!(worn(&model), Theme::Mono);
        assert!(model.feedback.is_some_and(|feedback| feedback.text.starts_with("theme: mono")));
    }
}
