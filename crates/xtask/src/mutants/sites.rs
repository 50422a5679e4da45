//! Finds every place of a source that can be made wrong: bodies of functions, as product code has them.
//!
//! Left out: tests and whatever stands under a condition of the build, constants and `const fn` (nothing is chosen there at run
//! time), patterns, types, attributes, and what macros are given, whose meaning is the macro's.

use super::changes;
use super::place::{Change, Kind, Place, short};
use proc_macro2::Span;
use std::collections::BTreeMap;
use std::ops::Range;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Expr, ReturnType, Signature, Stmt, Type};

/// Places of a parsed source, in its order.
pub(super) fn places(source: &str, file: &syn::File) -> Vec<Place> {
    let mut finder = Finder { source, found: BTreeMap::new(), answers: Vec::new() };
    finder.visit_file(file);
    let found = finder.found.into_iter();
    let mut places: Vec<_> = found.map(|((start, end), changes)| Place { range: start..end, changes }).collect();
    number(&mut places);
    places
}

/// Is the item compiled for tests or under a condition only?
pub(super) fn conditional(attributes: &[Attribute]) -> bool {
    let name = |a: &Attribute| a.path().segments.last().map(|s| s.ident.to_string());
    attributes.iter().filter_map(name).any(|name| name == "cfg" || name == "test")
}

/// Tells equal changes on equal lines apart.
fn number(places: &mut [Place]) {
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for change in places.iter_mut().flat_map(|p| &mut p.changes) {
        let nth = seen.entry((change.text.clone(), change.what.clone())).or_default();
        *nth += 1;
        change.nth = *nth;
    }
}

struct Finder<'s> {
    source: &'s str,
    found: BTreeMap<(usize, usize), Vec<Change>>,
    /// Of each function around: does it return a truth?
    answers: Vec<bool>,
}

impl Finder<'_> {
    fn text(&self, range: Range<usize>) -> &str {
        self.source.get(range).unwrap_or_default()
    }

    /// A change of what is at `place`, seen where `seen` begins.
    fn add(&mut self, place: Span, seen: Span, mut change: Change) {
        let range = place.byte_range();
        if range.is_empty() {
            return;
        }
        change.line = seen.start().line;
        change.text = self.source.lines().nth(change.line.saturating_sub(1)).unwrap_or_default().trim().to_owned();
        let there = self.found.entry((range.start, range.end)).or_default();
        if there.iter().all(|c| c.what != change.what) {
            there.push(change);
        }
    }

    fn flip(&mut self, verb: &str, e: &Expr) {
        if matches!(e, Expr::Lit(_)) {
            return;
        }
        let what = format!("{verb}: `{}`", short(self.text(e.span().byte_range())));
        self.add(e.span(), e.span(), Change::new(what, Kind::Flipped));
    }

    fn condition(&mut self, e: &Expr) {
        if !changes::has_let(e) {
            self.flip("negated", e);
        }
    }

    fn binary(&mut self, e: &syn::ExprBinary) {
        let (was, others) = changes::operators(&e.op);
        if !changes::may_differ(&e.op, &e.left, &e.right) {
            return;
        }
        let (left, right) = (self.text(e.left.span().byte_range()), self.text(e.right.span().byte_range()));
        // Brackets: `a as u64 < b` would begin a list of types.
        let spelled = |op: &str| {
            if changes::assigns(&e.op) { format!("{left} {op} {right}") } else { format!("({left}) {op} ({right})") }
        };
        let made: Vec<_> =
            others.iter().map(|op| Change::new(format!("`{was}` becomes `{op}`"), Kind::Other(spelled(op)))).collect();
        for change in made {
            self.add(e.span(), e.op.span(), change);
        }
    }

    fn method(&mut self, e: &syn::ExprMethodCall) {
        if changes::answers_yes_or_no(e) {
            let what = format!("flipped: `.{}(…)`", e.method);
            self.add(e.span(), e.method.span(), Change::new(what, Kind::Flipped));
        }
        if let Some(other) = changes::pair(e) {
            let (whole, name) = (e.span().byte_range(), e.method.span().byte_range());
            let text = format!("{}{other}{}", self.text(whole.start..name.start), self.text(name.end..whole.end));
            let what = format!("`{}` becomes `{other}`", e.method);
            self.add(e.span(), e.method.span(), Change::new(what, Kind::Other(text)));
        }
    }

    fn minus(&mut self, e: &syn::ExprUnary) {
        if matches!(e.op, syn::UnOp::Neg(_)) && !matches!(*e.expr, Expr::Lit(_)) {
            let positive = format!("({})", self.text(e.expr.span().byte_range()));
            self.add(e.span(), e.span(), Change::new("`-` removed".to_owned(), Kind::Other(positive)));
        }
    }

    fn body(&mut self, signature: &Signature, block: &Block) {
        // Nothing is chosen where the compiler computes.
        if signature.constness.is_some() {
            return;
        }
        let answers = matches!(&signature.output, ReturnType::Type(_, t)
            if matches!(&**t, Type::Path(p) if p.path.is_ident("bool")));
        if let (true, Some(Stmt::Expr(last, None))) = (answers, block.stmts.last()) {
            self.flip("returned the opposite of", last);
        }
        self.inside(answers, |finder| finder.visit_block(block));
    }

    fn inside(&mut self, answers: bool, visit: impl FnOnce(&mut Self)) {
        self.answers.push(answers);
        visit(self);
        self.answers.pop();
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, f: &'ast syn::ItemFn) {
        if !conditional(&f.attrs) {
            self.body(&f.sig, &f.block);
        }
    }
    fn visit_impl_item_fn(&mut self, f: &'ast syn::ImplItemFn) {
        if !conditional(&f.attrs) {
            self.body(&f.sig, &f.block);
        }
    }
    fn visit_trait_item_fn(&mut self, f: &'ast syn::TraitItemFn) {
        if let (false, Some(block)) = (conditional(&f.attrs), &f.default) {
            self.body(&f.sig, block);
        }
    }
    fn visit_item_mod(&mut self, m: &'ast syn::ItemMod) {
        if !conditional(&m.attrs) {
            visit::visit_item_mod(self, m);
        }
    }
    fn visit_item_impl(&mut self, i: &'ast syn::ItemImpl) {
        if !conditional(&i.attrs) {
            visit::visit_item_impl(self, i);
        }
    }
    fn visit_item_trait(&mut self, t: &'ast syn::ItemTrait) {
        if !conditional(&t.attrs) {
            visit::visit_item_trait(self, t);
        }
    }
    fn visit_local(&mut self, l: &'ast syn::Local) {
        if !conditional(&l.attrs) {
            visit::visit_local(self, l);
        }
    }
    fn visit_arm(&mut self, a: &'ast syn::Arm) {
        if !conditional(&a.attrs) {
            visit::visit_arm(self, a);
        }
    }
    fn visit_field_value(&mut self, f: &'ast syn::FieldValue) {
        if !conditional(&f.attrs) {
            visit::visit_field_value(self, f);
        }
    }
    fn visit_expr_block(&mut self, b: &'ast syn::ExprBlock) {
        if !conditional(&b.attrs) {
            visit::visit_expr_block(self, b);
        }
    }
    fn visit_expr_closure(&mut self, c: &'ast syn::ExprClosure) {
        self.inside(false, |finder| finder.visit_expr(&c.body));
    }
    fn visit_expr_async(&mut self, a: &'ast syn::ExprAsync) {
        self.inside(false, |finder| finder.visit_block(&a.block));
    }
    fn visit_expr_repeat(&mut self, r: &'ast syn::ExprRepeat) {
        self.visit_expr(&r.expr);
    }
    fn visit_stmt(&mut self, s: &'ast Stmt) {
        if let Stmt::Expr(e, Some(_)) = s
            && changes::is_call(e)
        {
            let what = format!("removed: `{}`", short(self.text(e.span().byte_range())));
            self.add(e.span(), e.span(), Change::new(what, Kind::Removed));
        }
        visit::visit_stmt(self, s);
    }
    fn visit_expr(&mut self, e: &'ast Expr) {
        match e {
            Expr::Binary(b) => self.binary(b),
            Expr::Lit(l) => {
                for change in changes::literal(&l.lit) {
                    self.add(l.span(), l.span(), change);
                }
            }
            Expr::If(i) => self.condition(&i.cond),
            Expr::While(w) => self.condition(&w.cond),
            Expr::Unary(u) => self.minus(u),
            Expr::MethodCall(m) => self.method(m),
            Expr::Call(c) if changes::is_some(c) => {
                let none = Change::new("`Some(…)` becomes `None`".to_owned(), Kind::Other("None".to_owned()));
                self.add(c.span(), c.span(), none);
            }
            Expr::Return(r) if self.answers.last() == Some(&true) => {
                if let Some(value) = &r.expr {
                    self.flip("returned the opposite of", value);
                }
            }
            Expr::Reference(r) if changes::promoted(&r.expr) => return,
            _ => {}
        }
        if !changes::only_memory(e) {
            visit::visit_expr(self, e);
        }
    }

    // Computed by the compiler, or no expressions at all.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_item_enum(&mut self, _: &'ast syn::ItemEnum) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_generics(&mut self, _: &'ast syn::Generics) {}
    fn visit_angle_bracketed_generic_arguments(&mut self, _: &'ast syn::AngleBracketedGenericArguments) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
    fn visit_macro(&mut self, _: &'ast syn::Macro) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may be made of the body of a function, each as `line: what`.
    fn found(source: &str) -> Vec<String> {
        let places = places(source, &syn::parse_file(source).unwrap());
        places.iter().flat_map(|p| &p.changes).map(|c| format!("{}: {}", c.line, c.what)).collect()
    }

    /// The same for an expression.
    fn of(expression: &str) -> Vec<String> {
        let lines = found(&format!("fn f() {{ let x = {expression}; }}"));
        lines.iter().map(|l| l.trim_start_matches("1: ").to_owned()).collect()
    }

    #[test]
    fn each_kind_of_expression_has_its_changes() {
        let cases: [(&str, &[&str]); 16] = [
            ("a < b", &["`<` becomes `<=`", "`<` becomes `>`"]),
            ("a == b", &["`==` becomes `!=`"]),
            ("a && b", &["`&&` becomes `||`"]),
            ("a * b", &["`*` becomes `/`"]),
            ("7", &["`7` becomes `8`", "`7` becomes `6`"]),
            ("0_u8", &["`0` becomes `1u8`"]),
            ("2.5", &["`2.5` becomes `2.5 * 1.1`"]),
            ("true", &["`true` becomes `false`"]),
            ("-a", &["`-` removed"]),
            ("Some(a)", &["`Some(…)` becomes `None`"]),
            ("a.min(b)", &["`min` becomes `max`"]),
            ("a.is_empty()", &["flipped: `.is_empty(…)`"]),
            // Texts are joined, memory is nobody's business, and what is kept for ever is chosen by the compiler.
            ("a + \"b\"", &[]),
            ("Vec::<u8>::with_capacity(9)", &[]),
            ("&[1, 2]", &[]),
            ("[0.0; 21]", &["`0.0` becomes `0.1`"]),
        ];
        for (expression, want) in cases {
            assert_eq!(of(expression), want, "{expression}");
        }
    }

    #[test]
    fn statements_conditions_and_returned_truths_are_places() {
        let source = "\
impl A {
    fn f(&mut self, a: bool) -> bool {
        if a { self.x.push(b); }
        if let Some(c) = d && e { self.go()?; }
        [1].iter().for_each(|_| return);
        while a {}
        a
    }
}";
        let want = [
            "3: negated: `a`",
            "3: removed: `self.x.push(b)`",
            "4: removed: `self.go()?`",
            "5: removed: `[1].iter().for_each(|_| return)`",
            "5: `1` becomes `2`",
            "5: `1` becomes `0`",
            "6: negated: `a`",
            "7: returned the opposite of: `a`",
        ];
        let mut got = found(source);
        got.sort();
        let mut want = want.map(str::to_owned).to_vec();
        want.sort();
        assert_eq!(got, want);
    }

    #[test]
    fn tests_constants_patterns_and_macros_are_left_out() {
        let source = "\
const A: u8 = 1 + 2;
static B: [u8; 3] = [1, 2, 3];
const fn c() -> u8 { 1 + 2 }
#[cfg(test)]
mod tests { fn d() -> u8 { 1 + 2 } }
#[cfg(unix)]
fn e() -> u8 { 1 + 2 }
enum F { G = 1 }
macro_rules! h { () => { 1 + 2 } }
#[test]
fn i() { 1 + 2; }
fn j(k: u8) { match k { 1 => l![1 + 2], _ => const { 1 + 2 } }; let m: [u8; 4] = n::<5>(); }";
        assert_eq!(found(source), [""; 0]);
    }

    #[test]
    fn equal_changes_on_equal_lines_are_counted() {
        let source = "fn f() {\n  a += 1;\n}\nfn g() {\n  a += 1;\n}";
        let places = places(source, &syn::parse_file(source).unwrap());
        let plus: Vec<_> = places.iter().flat_map(|p| &p.changes).filter(|c| c.what == "`+=` becomes `-=`").collect();
        assert_eq!(plus.iter().map(|c| (c.line, c.nth)).collect::<Vec<_>>(), [(2, 1), (5, 2)]);
        assert!(plus.iter().all(|c| c.text == "a += 1;"));
    }
}
