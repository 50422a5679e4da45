//! Marks of a picture. Colours are names of the page's style, so that both themes have them.

use barograph_domain::text::escape_markup;

/// A picture under construction.
pub(super) struct Picture {
    body: String,
    width: f64,
    height: f64,
    title: String,
}

impl Picture {
    pub(super) fn new(width: f64, height: f64, title: &str) -> Self {
        Self { body: String::new(), width, height, title: escape_markup(title) }
    }

    fn add(&mut self, mark: std::fmt::Arguments<'_>) {
        self.body.push_str(&std::fmt::format(mark));
        self.body.push('\n');
    }

    pub(super) fn line(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64), colour: &str, width: f64) {
        self.add(format_args!(
            "<path d=\"M{x0:.1} {y0:.1}L{x1:.1} {y1:.1}\" stroke=\"var(--{colour})\" stroke-width=\"{width}\" fill=\"none\"/>"
        ));
    }

    /// A line through points; nothing where there are fewer than two.
    pub(super) fn curve(&mut self, points: &[(f64, f64)], colour: &str, width: f64, opacity: f64) {
        let mut path = String::new();
        for (at, (x, y)) in points.iter().enumerate() {
            path.push_str(&format!("{}{x:.1} {y:.1}", if at == 0 { "M" } else { "L" }));
        }
        if points.len() > 1 {
            self.add(format_args!(
                "<path d=\"{path}\" stroke=\"var(--{colour})\" stroke-width=\"{width}\" stroke-opacity=\"{opacity}\" fill=\"none\" \
                 stroke-linejoin=\"round\"/>"
            ));
        }
    }

    pub(super) fn dot(&mut self, (x, y): (f64, f64), radius: f64, colour: &str) {
        self.add(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"var(--{colour})\"/>"));
    }

    /// A filled box; `said` is read out and shown under the pointer.
    pub(super) fn area(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64), colour: &str, said: &str) {
        let (width, height) = ((x1 - x0).max(0.8), (y1 - y0).max(0.8));
        self.add(format_args!(
            "<rect x=\"{x0:.1}\" y=\"{y0:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"var(--{colour})\"><title>{}</title></rect>",
            escape_markup(said)
        ));
    }

    /// A label at a point: `start`, `middle` or `end` of it stands there.
    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: &str, colour: &str, words: &str) {
        self.add(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"var(--{colour})\">{}</text>",
            escape_markup(words)
        ));
    }

    pub(super) fn done(self) -> String {
        let Self { body, width, height, title } = self;
        format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n{body}</svg>"
        )
    }
}
