//! The addresses of the page's views, for the server: from the page's own list.

use crate::tree;

const LIST: &str = "web/src/pages/list.ts";

/// `crates/api/src/routes/views.rs`: all but `/`, which is a documented address of its own.
pub(super) fn module() -> String {
    let list = std::fs::read_to_string(tree::root().join(LIST)).unwrap_or_default();
    let views: Vec<&str> = addresses(&list).filter(|path| *path != "/").collect();
    let lines: String = views.iter().map(|path| format!("    \"{path}\",\n")).collect();
    format!(
        "//! Written by `cargo x gen` from {LIST}; edit that, not this.\n\n\
         /// Addresses of the page's views, beside `/`.\n\
         pub(crate) const VIEWS: [&str; {}] = [\n{lines}];\n",
        views.len()
    )
}

/// What the lines of the list have as their `path`.
fn addresses(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter_map(|line| Some(line.split_once("path: '")?.1.split_once('\'')?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_list_is_an_address() {
        let list = "export const PAGES = {\n  weather: { path: '/', title: 'Weather' },\n  market: { path: '/m/{instrument}' },\n";
        assert_eq!(addresses(list).collect::<Vec<_>>(), ["/", "/m/{instrument}"]);
        assert!(module().contains("    \"/m/{instrument}\",\n"));
    }
}
