// Reads /openapi.json, lists every address, and lets people try it. No library, nothing from elsewhere; text from the
// document or from answers only ever becomes text, never markup.
"use strict";

const make = (tag, attributes = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
};

const resolve = (api, schema) => {
  const name = schema && schema.$ref && schema.$ref.split("/").pop();
  return name ? { name, ...api.components.schemas[name] } : schema || {};
};

// A short picture of what a schema looks like: fields, types, and what they mean.
const picture = (api, schema, depth = 0, seen = []) => {
  const s = resolve(api, schema);
  if (s.name && seen.includes(s.name)) return s.name;
  const inside = s.name ? [...seen, s.name] : seen;
  const pad = "  ".repeat(depth + 1);
  if (s.oneOf || s.anyOf) {
    return (s.oneOf || s.anyOf).map((one) => picture(api, one, depth, inside)).join(" | ");
  }
  const types = [].concat(s.type || []);
  if (types.includes("array")) return `[ ${picture(api, s.items, depth, inside)} ]`;
  if (s.properties) {
    const rows = Object.entries(s.properties).map(([name, field]) => {
      const needed = (s.required || []).includes(name) ? "" : "?";
      const said = (field.description || resolve(api, field).description || "").split("\n")[0];
      return `${pad}${name}${needed}: ${picture(api, field, depth + 1, inside)}${said ? "   — " + said : ""}`;
    });
    return `{\n${rows.join("\n")}\n${"  ".repeat(depth)}}`;
  }
  if (s.additionalProperties) return `{ <id>: ${picture(api, s.additionalProperties, depth, inside)} }`;
  if (s.enum) return s.enum.map((word) => JSON.stringify(word)).join(" | ");
  return (types.join(" or ") || "any") + (s.format ? ` (${s.format})` : "");
};

const field = (parameter) => {
  const id = `p${Math.random().toString(36).slice(2)}`;
  const input = make("input", { id, name: parameter.name, autocomplete: "off", spellcheck: false });
  input.dataset.where = parameter.in;
  input.required = Boolean(parameter.required);
  if (parameter.example !== undefined) input.placeholder = parameter.example;
  if (parameter.required && parameter.example !== undefined) input.value = parameter.example;
  const label = make("label", { htmlFor: id }, `${parameter.name}${parameter.required ? " *" : ""}`);
  return make("div", { className: "field" }, label, input, make("small", {}, parameter.description || ""));
};

const address = (path, form) => {
  let filled = path;
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll("input")) {
    const value = input.value.trim();
    if (input.dataset.where === "path") filled = filled.replace(`{${input.name}}`, encodeURIComponent(value).replaceAll("%3A", ":"));
    else if (input.dataset.where === "query" && value) query.append(input.name, value);
  }
  const text = query.toString();
  return text ? `${filled}?${text}` : filled;
};

const show = (out, url, head, body, fine) => {
  const link = make("a", { href: url }, url);
  out.replaceChildren(make("p", {}, link, " ", make("strong", { className: fine ? "" : "bad" }, head)), make("pre", { tabIndex: 0 }, body));
};

const pretty = (text, type) => {
  if (!/json/.test(type || "")) return text;
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
};

const call = async (url, out) => {
  show(out, url, "asking …", "", true);
  try {
    const began = performance.now();
    const answer = await fetch(url);
    const text = await answer.text();
    const facts = [`${answer.status} ${answer.statusText}`, `${Math.round(performance.now() - began)} ms`, `${text.length} characters`];
    if (answer.headers.get("etag")) facts.push(`ETag ${answer.headers.get("etag")}`);
    show(out, url, facts.join(" · "), pretty(text, answer.headers.get("content-type")), answer.ok);
  } catch (error) {
    show(out, url, "no answer", String(error), false);
  }
};

const listen = (url, out, button) => {
  if (button.source) {
    button.source.close();
    button.source = null;
    button.textContent = "Listen";
    return;
  }
  const lines = [];
  const log = (text) => { lines.unshift(`${new Date().toISOString()} ${text}`); lines.length = Math.min(lines.length, 50); show(out, url, `${lines.length} events shown`, lines.join("\n\n"), true); };
  const source = new EventSource(url);
  button.source = source;
  button.textContent = "Stop";
  for (const kind of ["snapshot", "lagged", "closing", "problem"]) source.addEventListener(kind, (event) => log(`${kind} ${event.data}`));
  source.onopen = () => log("connected");
  source.onerror = () => log("disconnected; the browser tries again by itself");
};

const route = (api, path, operation) => {
  const streams = Boolean(operation.responses["200"]?.content?.["text/event-stream"]);
  const form = make("form", {});
  for (const parameter of operation.parameters || []) if (parameter.in !== "header") form.append(field(parameter));
  const button = make("button", { type: "submit" }, streams ? "Listen" : "Try");
  const out = make("div", { ariaLive: "polite" });
  form.append(make("div", {}, button));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const url = address(path, form);
    if (streams) listen(url, out, button); else call(url, out);
  });
  const answers = Object.entries(operation.responses).map(([status, response]) => {
    const [type, content] = Object.entries(response.content || {})[0] || [];
    const shape = content && content.schema ? `\n${picture(api, content.schema)}` : "";
    return `${status}  ${response.description}${type ? `  (${type})` : ""}${status === "default" ? "" : shape}`;
  });
  const summary = make("summary", {}, make("span", { className: "path" }, `GET ${path}`), operation.summary || "");
  const shapes = make("details", {}, make("summary", {}, "What it answers"), make("pre", { tabIndex: 0 }, answers.join("\n\n")));
  const details = make("details", { id: path }, summary, make("p", {}, operation.description || ""), form, out, shapes);
  details.dataset.text = `${path} ${operation.summary || ""} ${(operation.parameters || []).map((p) => p.name).join(" ")}`.toLowerCase();
  return details;
};

const start = async () => {
  const about = document.getElementById("about");
  const routes = document.getElementById("routes");
  let api;
  try {
    const answer = await fetch("/openapi.json");
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    api = await answer.json();
  } catch (error) {
    about.textContent = `/openapi.json could not be read: ${error}. Reload to try again.`;
    about.className = "bad";
    return;
  }
  about.textContent = api.info.description;
  for (const tag of api.tags || []) {
    const section = make("section", {}, make("h2", {}, tag.name), make("p", {}, tag.description || ""));
    for (const [path, item] of Object.entries(api.paths)) {
      if (item.get && (item.get.tags || []).includes(tag.name)) section.append(route(api, path, item.get));
    }
    routes.append(section);
  }
  const problem = make("details", {}, make("summary", {}, "What every error looks like"), make("pre", { tabIndex: 0 }, picture(api, { $ref: "#/components/schemas/Problem" })));
  routes.append(make("section", {}, make("h2", {}, "errors"), problem));
  document.getElementById("find").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const details of routes.querySelectorAll("details[data-text]")) details.hidden = !details.dataset.text.includes(wanted);
  });
  const linked = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (linked) { linked.open = true; linked.scrollIntoView(); }
};

start();
