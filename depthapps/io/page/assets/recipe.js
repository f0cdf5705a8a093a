// What one can take away of a mode: a command line and lines of Python that make it at full quality.

// An expression that opens a scene, with another baseline
function withBaseline(python, baseline) {
  const bare = python.replace(/baseline_m=[^,)]+(, )?/, ""), given = `baseline_m=${short(baseline)}`;
  if (bare.includes("da.SceneParams()")) return bare.replace("da.SceneParams()", `da.SceneParams(${given})`);
  if (bare.includes("da.SceneParams(")) return bare.replace("da.SceneParams(", `da.SceneParams(${given}, `);
  return bare.replace(/\)$/, `, params=da.SceneParams(${given}))`);
}

// The texts, empty where the page does not know how its scene was opened, or where nothing can open it at its new scale
function recipeTexts(recipe, photo, made) {
  if (photo && photo.scale !== 1 && !photo.baseline) return { command: "", python: "" }; // its depth was given
  const scaled = photo && photo.baseline && photo.scale !== 1 ? photo.baseline * photo.scale : null;
  const scene = recipe.command && recipe.command + (scaled ? ` --baseline ${short(scaled)}` : "");
  const opened = recipe.python && (scaled ? withBaseline(recipe.python, scaled) : recipe.python);
  return {
    command: scene && `depthapps ${made.command.replace("SCENE", () => scene)}`,
    python: opened && ["import depthapps as da", "", `opened = ${opened}`, ...made.python].join("\n"),
  };
}
