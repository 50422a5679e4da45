// What the page says, read from its sources: the text of elements, the attributes people see or hear, and every other piece of text that has a
// word and a blank in it. A template's values are written `…`.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const HERE = new URL('../src', import.meta.url).pathname;
/** Attributes that are no text for people. */
const SILENT = /^(class|className|id|key|href|d|viewBox|data-.*|style|rel|type|role|for|name|src|points|transform|stroke.*|fill.*|font.*)$/;
/** Calls whose texts are addresses of the page, of styles, or of the API. */
const SILENT_CALLS = /^(querySelector(All)?|closest|matches|matchMedia|fetch|addEventListener|getElementById|hrefTo|go|test|match)$/;

function sources(folder) {
  return readdirSync(join(HERE, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'testing' ? [] : sources(path);
    return /\.tsx?$/.test(path) && !/\.test\.ts$|schema\.d\.ts$/.test(path) ? [path] : [];
  });
}

/** The text of an element with what is put in between: `a <b>b</b> {c}` is `a b …`. */
function spoken(node) {
  if (ts.isJsxText(node)) return node.text.replace(/\s*\n\s*/g, ' ');
  if (ts.isJsxExpression(node)) {
    if (node.expression === undefined) return '';
    return ts.isStringLiteral(node.expression) ? node.expression.text : '…';
  }
  if (ts.isJsxElement(node) || ts.isJsxFragment(node)) return node.children.map(spoken).join('');
  return '';
}

function isSilent(node) {
  const { parent } = node;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isLiteralTypeNode(parent)) return true;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return true;
  for (let up = node; up !== undefined && !ts.isStatement(up); up = up.parent) {
    if (ts.isJsxAttribute(up)) return SILENT.test(up.name.getText());
    if (ts.isCallExpression(up)) {
      const callee = ts.isPropertyAccessExpression(up.expression) ? up.expression.name : up.expression;
      if (SILENT_CALLS.test(callee.getText())) return true;
    }
    if (ts.isTypeNode(up)) return true;
  }
  return false;
}

/** Words with a blank between, no selector, style or font. */
const isSpoken = (text) => /\p{L}{2,}.*\s.*\p{L}/u.test(text) && !/[{};=<>]|\bvar\(|\dpx|…px/.test(text);

/** Everything that the page may say, with the file it is in. */
export function sentences() {
  const out = [];
  for (const file of sources('.')) {
    const source = ts.createSourceFile(file, readFileSync(join(HERE, file), 'utf8'), ts.ScriptTarget.Latest, true, file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
    const add = (text) => {
      const plain = text.replace(/\s+/g, ' ').trim();
      if (isSpoken(plain)) out.push({ file, text: plain });
    };
    const look = (node) => {
      // Text beside elements is one sentence with theirs; what is inside an element of its own text again is not said twice.
      if ((ts.isJsxElement(node) || ts.isJsxFragment(node)) && node.children.some((child) => ts.isJsxText(child) && child.text.trim() !== '')) add(spoken(node));
      else if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
        if (!isSilent(node)) add(node.text);
      } else if (ts.isTemplateExpression(node) && !isSilent(node)) {
        add(node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join(''));
      }
      ts.forEachChild(node, look);
    };
    look(source);
  }
  return out;
}
