//! The scorecard of one group of markets as a picture (SVG): a line an event with the band of its skill against persistence, how often
//! it happened beside what was stated, and the skill of each month. Loads nothing from elsewhere; white ground, so that it reads on
//! any page.

use barograph_domain::scorecard::{ScoreRow, Scorecard, SkillVerdict};
use barograph_domain::text::escape_markup;

/// Pixels. The columns: name, skill, reliability, months.
const WIDTH: f64 = 900.0;
const HEAD: f64 = 64.0;
const ROW: f64 = 96.0;
const FOOT: f64 = 28.0;
const SKILL: (f64, f64) = (210.0, 480.0);
const RELIABILITY: (f64, f64) = (530.0, 610.0);
const MONTHS: (f64, f64) = (660.0, 880.0);
/// Widest scale of skill, as a share; what lies beyond is cut at the edge, where an arrow says so.
const SKILL_MAX: f64 = 0.5;
const GRID: &str = "#d5dbe0";
const INK: &str = "#1d262d";
const PALE: &str = "#55636f";

/// The picture of the rows of one scope and window. Events that nobody asked about are left out.
pub(crate) fn scorecard(card: &Scorecard, scope: &str, window: &str) -> String {
    let rows: Vec<&ScoreRow> =
        card.rows.iter().filter(|r| r.scope == scope && r.window == window && r.denominators.asked > 0).collect();
    let bands = rows.iter().flat_map(|row| shown(row)).flatten();
    let scale = bands.map(f64::abs).fold(0.05_f64, f64::max).min(SKILL_MAX);
    let height = HEAD + ROW * count(rows.len()) + FOOT;
    let span = card.span.map_or_else(String::new, |[a, b]| format!(", {} to {}", day(a), day(b)));
    let of = if scope == "all" { card.markets.join(", ") } else { scope.to_owned() };
    let title = escape_markup(&format!("Skill of the book {} on {of}{span}", card.book));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"{title}\" font-family=\"Verdana,Geneva,'DejaVu Sans',sans-serif\" font-size=\"11\" fill=\"{INK}\">\n\
         <title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    text(&mut svg, 12.0, 20.0, "start", INK, &title);
    for ((from, to), heading) in
        [(SKILL, "skill against persistence, 90 % band"), (RELIABILITY, "stated, happened"), (MONTHS, "skill by month")]
    {
        text(&mut svg, f64::midpoint(from, to), 44.0, "middle", PALE, heading);
    }
    for (at, row) in rows.iter().enumerate() {
        let top = HEAD + ROW * count(at);
        draw(&mut svg, &format!("<path d=\"M12 {top}H{}\" stroke=\"{GRID}\"/>", WIDTH - 12.0));
        name(&mut svg, row, top);
        skill(&mut svg, row, top, scale);
        reliability(&mut svg, row, top);
        months(&mut svg, row, top, scale);
    }
    let foot = format!(
        "0 is no better than how often the event followed the state it was in; the edges are {0} and {0} better or worse",
        percent(scale).trim_start_matches('+')
    );
    text(&mut svg, 12.0, height - 10.0, "start", PALE, &foot);
    svg.push_str("</svg>\n");
    svg
}

fn name(svg: &mut String, row: &ScoreRow, top: f64) {
    text(svg, 12.0, top + 34.0, "start", INK, row.event.id());
    let since = row.sequence.and_then(|s| s.activated_at).filter(|_| row.verdict == SkillVerdict::Skill);
    let says = match (is_stateless(row), since) {
        (true, _) => "against climatology".to_owned(),
        (false, Some(t)) => format!("better, decided {}", day(t)),
        (false, None) => row.verdict.spoken().to_owned(),
    };
    text(svg, 12.0, top + 52.0, "start", colour(row.verdict), &says);
    let rate = row.base_rate.map_or_else(String::new, |b| format!(", comes {:.1} %", b * 100.0));
    text(svg, 12.0, top + 70.0, "start", PALE, &format!("{} windows{rate}", row.n_eff));
}

/// What has no state before its window is held against climatology alone.
fn is_stateless(row: &ScoreRow) -> bool {
    row.persistence.n == 0 && row.climatology.value.is_some()
}

/// Ends of the band that is drawn.
fn shown(row: &ScoreRow) -> [Option<f64>; 2] {
    let s = if is_stateless(row) { &row.climatology } else { &row.persistence };
    [s.low, s.high]
}

fn skill(svg: &mut String, row: &ScoreRow, top: f64, scale: f64) {
    let (from, to) = SKILL;
    let (middle, y) = (f64::midpoint(from, to), top + ROW / 2.0);
    let x = |share: f64| middle + (share / scale).clamp(-1.0, 1.0) * (to - from) / 2.0;
    draw(
        svg,
        &format!("<path d=\"M{from} {y}H{to}M{middle} {}V{}\" stroke=\"{GRID}\"/>", top + 12.0, top + ROW - 12.0),
    );
    let s = if is_stateless(row) { &row.climatology } else { &row.persistence };
    let (Some(value), Some(low), Some(high)) = (s.value, s.low, s.high) else {
        text(svg, middle, y - 8.0, "middle", PALE, "no band");
        return;
    };
    let ink = colour(row.verdict);
    draw(
        svg,
        &format!(
            "<path d=\"M{:.1} {y}H{:.1}\" stroke=\"{ink}\" stroke-width=\"4\"/><circle cx=\"{:.1}\" cy=\"{y}\" r=\"5\" fill=\"{ink}\"/>",
            x(low),
            x(high),
            x(value)
        ),
    );
    let beyond = if low < -scale || high > scale { ", beyond the edge" } else { "" };
    let words = format!("{} ({} to {}){beyond}", percent(value), percent(low), percent(high));
    text(svg, middle, y + 24.0, "middle", ink, &words);
}

/// What was stated along, what happened upwards: the CORP curve and the bins, with Wilson's interval where a bin has ten windows.
fn reliability(svg: &mut String, row: &ScoreRow, top: f64) {
    let (from, to) = RELIABILITY;
    let (low, size) = (top + ROW - 8.0, to - from);
    let (x, y) = (|p: f64| from + p * size, |p: f64| low - p * size);
    draw(
        svg,
        &format!(
            "<rect x=\"{from}\" y=\"{}\" width=\"{size}\" height=\"{size}\" fill=\"none\" stroke=\"{GRID}\"/>\
         <path d=\"M{from} {low}L{to} {}\" stroke=\"{GRID}\"/>",
            low - size,
            low - size
        ),
    );
    let line: String = row
        .curve
        .iter()
        .flat_map(|s| [(s.from, s.calibrated), (s.upto, s.calibrated)])
        .enumerate()
        .map(|(at, (p, c))| format!("{}{:.1} {:.1}", if at == 0 { 'M' } else { 'L' }, x(p), y(c)))
        .collect();
    if !line.is_empty() {
        draw(svg, &format!("<path d=\"{line}\" fill=\"none\" stroke=\"#1f6fb2\" stroke-width=\"1.5\"/>"));
    }
    for bin in row.reliability.iter().filter(|b| b.n_eff >= 10) {
        draw(
            svg,
            &format!(
                "<path d=\"M{0:.1} {1:.1}V{2:.1}\" stroke=\"{PALE}\"/><circle cx=\"{0:.1}\" cy=\"{3:.1}\" r=\"2\" fill=\"{INK}\"/>",
                x(bin.stated),
                y(bin.low),
                y(bin.high),
                y(bin.observed)
            ),
        );
    }
}

fn months(svg: &mut String, row: &ScoreRow, top: f64, scale: f64) {
    let (from, to) = MONTHS;
    let y = top + ROW / 2.0;
    draw(svg, &format!("<path d=\"M{from} {y}H{to}\" stroke=\"{GRID}\"/>"));
    // Without a band over all of it, a month's number is noise.
    if row.timeline.is_empty() || row.persistence.low.is_none() {
        text(svg, f64::midpoint(from, to), y - 8.0, "middle", PALE, "no band");
        return;
    }
    let step = ((to - from) / count(row.timeline.len())).min(24.0);
    for (at, month) in row.timeline.iter().enumerate() {
        let Some(skill) = month.skill_persistence else { continue };
        let tall = (skill / scale).clamp(-1.0, 1.0) * (ROW / 2.0 - 12.0);
        draw(
            svg,
            &format!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"><title>{}: {}, n {}</title></rect>",
                from + step * count(at),
                y - tall.max(0.0),
                (step - 1.0).max(0.5),
                tall.abs().max(0.5),
                if skill < 0.0 { "#d98a92" } else { "#6fb3a0" },
                &day(month.month)[..7],
                percent(skill),
                month.n
            ),
        );
    }
}

fn colour(verdict: SkillVerdict) -> &'static str {
    match verdict {
        SkillVerdict::Skill => "#0a7458",
        SkillVerdict::WorseThanPersistence => "#bd2130",
        SkillVerdict::BetterSoFar
        | SkillVerdict::WorseSoFar
        | SkillVerdict::NoSkillShown
        | SkillVerdict::TooLittleData => PALE,
    }
}

fn draw(svg: &mut String, drawn: &str) {
    svg.push_str(drawn);
    svg.push('\n');
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, ink: &str, words: &str) {
    draw(svg, &format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{ink}\">{words}</text>"));
}

/// Percent with one decimal, its sign and a true minus.
fn percent(share: f64) -> String {
    format!("{:+.1} %", share * 100.0).replace('-', "−")
}

fn day(t: barograph_domain::Ts) -> String {
    t.to_string().chars().take(10).collect()
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
