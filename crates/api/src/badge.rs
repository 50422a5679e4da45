//! A small picture that says how good one event's forecasts are, for web pages of others. Nothing is loaded from elsewhere: the font
//! is whatever the reader has, and the text is fitted to the width it was laid out for.

use barograph_domain::forecast::ForecastEvent;
use barograph_domain::scorecard::{ScoreRow, SkillVerdict};
use barograph_domain::text::escape_markup;

/// Width of a character, of the space left and right, and height, in pixels.
const CHARACTER: f64 = 6.6;
const SPACE: f64 = 8.0;
const HEIGHT: u32 = 20;

/// The picture; without a row nothing is registered yet.
pub(crate) fn svg(event: ForecastEvent, scope: &str, window: &str, row: Option<&ScoreRow>) -> String {
    let (says, colour) = judged(row);
    let text = escape_markup(&format!("{}: {says}", event.id()));
    let of = if scope == "all" { "all markets" } else { scope };
    let when = if window == "all" { "all of the ledger" } else { window };
    let windows = row.map_or_else(String::new, |r| format!(", {} separate windows", r.n_eff));
    let title = escape_markup(&format!(
        "{}: {says}; {of}, {when}{windows}; band 90 %. Whether {}.",
        event.id(),
        event.question()
    ));
    let characters = u32::try_from(event.id().len() + 2 + says.chars().count()).unwrap_or(u32::MAX);
    let long = f64::from(characters) * CHARACTER;
    let width = long + 2.0 * SPACE;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{HEIGHT}\" viewBox=\"0 0 {width:.0} {HEIGHT}\" \
         role=\"img\" aria-label=\"{title}\"><title>{title}</title><rect width=\"{width:.0}\" height=\"{HEIGHT}\" rx=\"3\" \
         fill=\"{colour}\"/><text x=\"{SPACE}\" y=\"14\" textLength=\"{long:.0}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#ffffff\" \
         font-family=\"Verdana,Geneva,'DejaVu Sans',sans-serif\" font-size=\"11\">{text}</text></svg>\n"
    )
}

/// What a row amounts to, and its colour: white on each holds 4.5:1.
fn judged(row: Option<&ScoreRow>) -> (String, &'static str) {
    const GREY: &str = "#55636f";
    let Some(row) = row else { return ("no forecasts yet".to_owned(), GREY) };
    let s = &row.persistence;
    match (row.verdict, s.value, s.low, s.high) {
        (SkillVerdict::Skill, Some(value), Some(low), Some(high)) => (with_band("", value, low, high), "#0a7458"),
        (SkillVerdict::WorseThanPersistence, Some(value), Some(low), Some(high)) => {
            (with_band("", value, low, high), "#bd2130")
        }
        // A band decides nothing: no colour before the confidence sequence does.
        (SkillVerdict::BetterSoFar | SkillVerdict::WorseSoFar, Some(value), Some(low), Some(high)) => {
            (with_band("so far ", value, low, high), GREY)
        }
        (SkillVerdict::NoSkillShown, ..) => (SkillVerdict::NoSkillShown.spoken().to_owned(), GREY),
        _ => (SkillVerdict::TooLittleData.spoken().to_owned(), GREY),
    }
}

fn with_band(when: &str, value: f64, low: f64, high: f64) -> String {
    format!("{when}{} % vs persistence ({} to {})", signed(value, true), end(low), end(high))
}

/// One end of a band. On which side of zero it lies is what the verdict is made of, so that it is said where it rounds to zero.
fn end(share: f64) -> String {
    match (signed(share, false), share) {
        (text, x) if text != "0.0" || x == 0.0 => text,
        (_, x) if x < 0.0 => "just below 0".to_owned(),
        _ => "just above 0".to_owned(),
    }
}

/// Percent with one decimal and a true minus sign.
fn signed(share: f64, plus: bool) -> String {
    let text = format!("{:.1}", (share * 100.0).abs());
    let is_zero = !text.contains(|c: char| ('1'..='9').contains(&c));
    match (share < 0.0, is_zero) {
        (_, true) => text,
        (true, _) => format!("−{text}"),
        (false, _) if plus => format!("+{text}"),
        (false, _) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::forecast::Forecaster;
    use barograph_domain::scorecard::{Denominators, SkillReading};

    fn row(verdict: SkillVerdict, band: Option<[f64; 3]>) -> ScoreRow {
        let skill = SkillReading {
            value: band.map(|b| b[0]),
            low: band.map(|b| b[1]),
            high: band.map(|b| b[2]),
            n: 900,
            brier: None,
            reference_brier: None,
        };
        ScoreRow {
            event: ForecastEvent::HighVol1h,
            forecaster: Forecaster::Rules,
            scope: "all".to_owned(),
            window: "all".to_owned(),
            span: None,
            denominators: Denominators::default(),
            n_eff: 412,
            base_rate: None,
            score: None,
            climatology: skill,
            persistence: skill,
            verdict,
            persistence_hard_brier: None,
            parts: None,
            ece: None,
            log_score: None,
            clipped: 0,
            auc: None,
            sharpness: None,
            reliability: Vec::new(),
            curve: Vec::new(),
            label: None,
            sequence: None,
            timeline: Vec::new(),
            largest_share: None,
        }
    }

    #[test]
    fn a_badge_says_a_skill_with_its_band_or_that_there_is_none() {
        use SkillVerdict::{BetterSoFar, NoSkillShown, Skill, TooLittleData, WorseSoFar, WorseThanPersistence};
        for (verdict, band, want) in [
            (BetterSoFar, Some([0.041, 0.012, 0.07]), ">hv_1h: so far +4.1 % vs persistence (1.2 to 7.0)</text>"),
            (WorseSoFar, Some([-0.05, -0.09, -0.001]), ">hv_1h: so far −5.0 % vs persistence (−9.0 to −0.1)</text>"),
            (BetterSoFar, None, ">hv_1h: too little data</text>"),
            (Skill, Some([0.041, 0.012, 0.07]), ">hv_1h: +4.1 % vs persistence (1.2 to 7.0)</text>"),
            (WorseThanPersistence, Some([-0.05, -0.09, -0.001]), ">hv_1h: −5.0 % vs persistence (−9.0 to −0.1)</text>"),
            (
                WorseThanPersistence,
                Some([-0.05, -0.09, -0.0002]),
                ">hv_1h: −5.0 % vs persistence (−9.0 to just below 0)</text>",
            ),
            (NoSkillShown, Some([0.02, -0.01, 0.05]), ">hv_1h: no skill shown</text>"),
            (TooLittleData, None, ">hv_1h: too little data</text>"),
            // A verdict without its band is never said as a number.
            (Skill, None, ">hv_1h: too little data</text>"),
        ] {
            let got = svg(ForecastEvent::HighVol1h, "all", "all", Some(&row(verdict, band)));
            assert!(got.contains(want) && got.contains("412 separate windows"), "{verdict:?}: {got}");
            // Green is what is decided, and nothing else.
            let green = got.contains("#0a7458");
            assert_eq!(green, verdict == Skill && band.is_some(), "{verdict:?}: {got}");
        }
        assert!(svg(ForecastEvent::HighVol1h, "all", "90d", None).contains(">hv_1h: no forecasts yet</text>"));
    }

    #[test]
    fn names_cannot_leave_their_place() {
        let got = svg(ForecastEvent::HighVol1h, "x:\"><script>\u{0}&'", "all", None);
        assert!(!got.contains("<script") && got.contains("x:&quot;&gt;&lt;script&gt;\u{fffd}&amp;&#39;"), "{got}");
    }
}
