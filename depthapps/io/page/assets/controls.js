// Build the controls of a mode from its descriptions, as labelled elements of the page.

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value); else made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const CURVES = {
  linear: { to: v => v, from: v => v },
  log: { to: Math.log, from: Math.exp },
};

const BUILDERS = {
  range(control, settings, changed) {
    const { name, label, low, high, text, read = v => v } = control, { to, from } = CURVES[control.curve || "linear"];
    const shown = element("output", {}, text(settings[name]));
    const input = element("input", {
      type: "range", id: `control-${name}`, min: to(low), max: to(high), step: control.step || (to(high) - to(low)) / 200,
      "aria-valuetext": text(settings[name]),
    });
    input.value = to(read(settings[name]));
    input.addEventListener("input", () => {
      settings[name] = from(Number(input.value));
      shown.textContent = text(settings[name]);
      input.setAttribute("aria-valuetext", text(settings[name]));
      changed(name);
    });
    return element("div", { class: "control slider" }, element("label", { for: input.id }, label), shown, input);
  },

  choice({ name, label, options, renews }, settings, changed) {
    const group = element("div", { class: "choice", role: "radiogroup", "aria-label": label });
    for (const [value, text] of Object.entries(options)) {
      const input = element("input", { type: "radio", name, value, onchange: () => { settings[name] = value; changed(name, renews); } });
      input.checked = settings[name] === value;
      group.append(element("label", {}, input, element("span", {}, text)));
    }
    return group;
  },

  color({ name, label }, settings, changed) {
    const input = element("input", { type: "color", id: `control-${name}`, value: settings[name] });
    input.addEventListener("input", () => { settings[name] = input.value; changed(name); });
    return element("div", { class: "control row" }, element("label", { for: input.id }, label), input);
  },

  number({ name, label, act }, settings, changed) {
    const input = element("input", { type: "number", id: `control-${name}`, min: 0, step: "any", inputmode: "decimal", value: settings[name] });
    input.addEventListener("change", () => { settings[name] = input.value; act(Number(input.value)); changed(name, true); });
    return element("div", { class: "control row" }, element("label", { for: input.id }, label), input);
  },

  text: ({ label, text }) => element("div", { class: "control row" }, element("span", {}, label), element("output", { class: "live" }, text())),

  legend: ({ name, from, to }) =>
    element("div", { class: "legend" }, element("i", { class: name }), element("span", {}, from.trim()), element("span", {}, to.trim())),

  button: ({ label, act, renews }, settings, changed) =>
    element("button", { onclick: () => { act(); changed("", renews); } }, label),
};

function buildControls(mode, changed) {
  return mode.controls().map(control => BUILDERS[control.kind](control, mode.settings, changed));
}
