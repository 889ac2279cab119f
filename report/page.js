const read = (id) => JSON.parse(document.getElementById(id).textContent);

function drawCharts() {
  const { config, numberLocale, timeLocale } = read("settings");
  for (const [name, spec] of Object.entries(read("charts"))) {
    const place = document.getElementById(`chart-${name}`);
    const narrow = place.clientWidth < 400;
    vegaEmbed(place, spec, {
      actions: false,
      renderer: "svg",
      config: {
        ...config,
        axisY: { labelLimit: narrow ? 120 : 220 },
        legend: { ...config.legend, columns: narrow ? 3 : 6, columnPadding: narrow ? 8 : 16 },
      },
      formatLocale: numberLocale,
      timeFormatLocale: timeLocale,
    });
  }
}

// Numbers as report/numbers.py writes them.
const decimal = (value, places = 2) => {
  const text = value.toLocaleString("pt-BR", { minimumFractionDigits: places, maximumFractionDigits: places });
  return /[1-9]/.test(text) ? text.replace("-", "−") : text.replace("-", "");
};
const written = {
  decimal,
  count: (value) => decimal(value, 0),
  change: (value) => `${value > 0 && /[1-9]/.test(decimal(100 * value)) ? "+" : ""}${decimal(100 * value)}%`,
  points: (value) => `${decimal(value, 1)}%`,
  amount: (value) => {
    const [scale, word] = [[1e12, " tri"], [1e9, " bi"], [1e6, " mi"], [1e3, " mil"]]
      .find(([from]) => Math.abs(value) >= from) ?? [1, ""];
    return decimal(value / scale, word ? 1 : 0) + word;
  },
};
const SCALES = { tri: 1e12, bi: 1e9, mi: 1e6, mil: 1e3 };

// "1,5 mi" is 1500000; what is no number is NaN, and nothing is null.
function typed(text) {
  if (!text.trim()) return null;
  const found = /^([-−]?)([\d.,]+)\s*(tri|bi|mi|mil)?$/i.exec(text.trim().replace(/\s*%$/, ""));
  if (!found) return NaN;
  const thousands = found[2].includes(",") || /^\d{1,3}(\.\d{3})+$/.test(found[2]);
  const digits = thousands ? found[2].replaceAll(".", "").replace(",", ".") : found[2];
  return (found[1] ? -1 : 1) * Number(digits) * (SCALES[found[3]?.toLowerCase()] ?? 1);
}

function tableOfAssets() {
  const at = (id) => document.getElementById(id);
  const columns = Object.fromEntries(read("numbers").map((column) => [column.key, column]));
  const keys = Object.keys(columns);
  const [head, body] = [document.querySelector("#papers thead tr"), document.querySelector("#papers tbody")];
  const rows = [...body.rows];
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const assets = rows.map((row, place) => ({
    row,
    place,
    ativo: row.cells[0].textContent,
    nome: row.cells[1].textContent,
    grupo: row.cells[2].textContent,
    text: plain([0, 1, 2].map((n) => row.cells[n].textContent).join(" ")),
  }));
  const codes = new Set(assets.map(({ ativo }) => plain(ativo)));
  const roots = new Set([...codes].map((code) => code.slice(0, 4)));
  const tickers = (text) => [...new Set(text.toUpperCase().split(/[^A-Z0-9]+/).filter(Boolean))];
  const number = (asset, key) => columns[key].values[asset.place];
  // In the address, the fields and the CSV a change is in percent, as the table has it.
  const measured = (asset, key) => {
    const value = number(asset, key);
    return value === null || columns[key].shown !== "change" ? value : parseFloat((100 * value).toPrecision(12));
  };
  const first = { key: "volume" in columns ? "volume" : "ativo", down: "volume" in columns };
  const defaults = keys.filter((key) => columns[key].default);
  let order = { ...first };
  let shownKeys = defaults;
  let hits = assets;

  const field = (kind, key) => document.querySelector(`[data-${kind}="${CSS.escape(key)}"]`);
  const chosen = () => keys.filter((key) => field("column", key).checked);

  function limits() {
    const found = [];
    for (const key of keys) {
      const [low, high] = ["min", "max"].map((kind) => {
        const input = field(kind, key);
        const limit = typed(input.value);
        input.toggleAttribute("aria-invalid", Number.isNaN(limit));
        return Number.isNaN(limit) ? null : limit;
      });
      if (low !== null || high !== null) found.push({ key, low, high });
    }
    return found;
  }

  function address(bounds) {
    const said = new URLSearchParams();
    const say = (name, value) => value && said.set(name, value);
    say("palavras", at("words").value.trim());
    say("tipo", at("kind").value);
    say("grupo", at("group").value);
    say("liquidos", at("liquid").checked && "1");
    say("lista", at("mine").checked && tickers(at("list").value).join(","));
    for (const { key, low, high } of bounds) say(key, `${low ?? ""}..${high ?? ""}`);
    say("primeiros", at("first").value);
    if (order.key !== first.key || order.down !== first.down) say("ordem", (order.down ? "-" : "") + order.key);
    if (chosen().join() !== defaults.join()) said.set("colunas", chosen().join(","));
    return said.toString().replaceAll("%2C", ",");
  }

  function apply(text) {
    const said = new URLSearchParams(text);
    at("words").value = said.get("palavras") ?? "";
    at("kind").value = ["acoes", "fiis"].includes(said.get("tipo")) ? said.get("tipo") : "";
    at("group").value = said.get("grupo") ?? "";
    if (at("group").selectedIndex < 0) at("group").value = "";
    at("liquid").checked = said.get("liquidos") === "1";
    at("mine").checked = Boolean(said.get("lista"));
    if (said.get("lista")) at("list").value = tickers(said.get("lista")).join(", ");
    at("first").value = said.get("primeiros") ?? "";
    for (const key of keys) {
      const ends = (said.get(key) ?? "").split("..");
      ["min", "max"].forEach((kind, place) => {
        const end = parseFloat(ends[place]);
        field(kind, key).value = Number.isNaN(end) ? "" : end.toLocaleString("pt-BR", { maximumFractionDigits: 9 });
      });
    }
    const sorted = said.get("ordem") ?? "";
    const key = sorted.replace(/^-/, "");
    const known = [...keys, "ativo", "nome", "grupo"].includes(key);
    order = known ? { key, down: sorted.startsWith("-") } : { ...first };
    const wanted = said.has("colunas") ? said.get("colunas").split(",") : defaults;
    for (const one of keys) field("column", one).checked = wanted.includes(one);
  }

  function drawColumns(bounds) {
    const wanted = new Set([...chosen(), ...bounds.map(({ key }) => key), order.key]);
    const now = keys.filter((key) => wanted.has(key));
    if (now.join() !== shownKeys.join()) {
      shownKeys = now;
      for (const heading of [...head.cells].slice(3)) heading.remove();
      for (const key of now) {
        const heading = document.createElement("th");
        const button = document.createElement("button");
        Object.assign(heading, { scope: "col", className: "n" });
        heading.dataset.key = key;
        Object.assign(button, { type: "button", title: columns[key].hint, textContent: columns[key].title });
        heading.append(button);
        head.append(heading);
      }
      for (const asset of assets) {
        while (asset.row.cells.length > 3) asset.row.lastChild.remove();
        for (const key of now) {
          const value = number(asset, key);
          const cell = asset.row.insertCell();
          const moved = columns[key].shown === "change" && value ? (value > 0 ? " up" : " down") : "";
          cell.className = `n${moved}`;
          cell.textContent = value === null ? "–" : written[columns[key].shown](value);
        }
      }
    }
    for (const row of [head, ...rows]) for (const cell of row.querySelectorAll(".sorted")) cell.classList.remove("sorted");
    for (const heading of head.cells) {
      if (heading.dataset.key !== order.key) {
        heading.removeAttribute("aria-sort");
        continue;
      }
      heading.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      for (const row of [head, ...rows]) row.cells[heading.cellIndex].classList.add("sorted");
    }
    at("papers").style.setProperty("--first", `${head.cells[0].offsetWidth}px`);
  }

  function fitting(bounds) {
    const words = plain(at("words").value).split(/[\s,;]+/).filter(Boolean);
    // Whole tickers, or their first four letters where there are several words of them, are any of them.
    const named = words.filter((word) => codes.has(word) || roots.has(word));
    const any = named.length > 1 || codes.has(named[0]) ? named : [];
    const all = words.filter((word) => !any.includes(word));
    const mine = at("mine").checked && new Set(tickers(at("list").value));
    return assets.filter((asset) => (!any.length || any.some((word) => plain(asset.ativo).startsWith(word)))
      && all.every((word) => asset.text.includes(word))
      && (!at("kind").value || asset.row.dataset.kind === at("kind").value)
      && (!at("group").value || asset.grupo === at("group").value)
      && (!at("liquid").checked || "liquid" in asset.row.dataset)
      && (!mine || mine.has(asset.ativo))
      && bounds.every(({ key, low, high }) => {
        const value = measured(asset, key);
        return value !== null && (low === null || value >= low) && (high === null || value <= high);
      }));
  }

  function sort(found) {
    const numeric = order.key in columns;
    const value = (asset) => (numeric ? number(asset, order.key) : asset[order.key] || null);
    const compare = (a, b) => (numeric ? a - b : a.localeCompare(b, "pt-BR"));
    return found.sort((one, other) => {
      const a = value(one), b = value(other);
      const tied = one.ativo < other.ativo ? -1 : 1;
      if (a === null || b === null) return a === b ? tied : a === null ? 1 : -1; // what is missing comes last
      return (order.down ? compare(b, a) : compare(a, b)) || tied;
    });
  }

  function draw() {
    const bounds = limits();
    drawColumns(bounds);
    const most = parseInt(at("first").value, 10);
    hits = sort(fitting(bounds));
    if (most > 0) {
      const counted = order.key in columns ? hits.filter((asset) => number(asset, order.key) !== null) : hits;
      hits = counted.slice(0, most);
    }
    const found = new Set(hits);
    for (const asset of assets) asset.row.hidden = !found.has(asset);
    body.append(...hits.map(({ row }) => row));
    const absent = at("mine").checked
      ? tickers(at("list").value).filter((ticker) => !assets.some(({ ativo }) => ativo === ticker)) : [];
    at("shown").textContent = `${hits.length.toLocaleString("pt-BR")} de ${rows.length.toLocaleString("pt-BR")} ativos`
      + (absent.length ? `; não estão nesta página: ${absent.join(", ")}` : "");
    const said = address(bounds);
    let formula = "";
    for (const button of document.querySelectorAll(".preset")) {
      const same = new URLSearchParams(said);
      const screen = new URLSearchParams(button.dataset.screen);
      for (const one of [same, screen]) {
        one.delete("colunas");
        one.sort();
      }
      const pressed = same.toString() === screen.toString();
      button.setAttribute("aria-pressed", pressed);
      if (pressed) formula = button.dataset.formula;
    }
    at("formula").textContent = formula;
    return said;
  }

  function changed() {
    const said = draw();
    history.replaceState(null, "", said ? `#${said}` : location.href.split("#")[0]);
  }

  // A browser may keep nothing for a file: the list is in the address all the same.
  function kept(list) {
    try {
      if (list !== undefined) localStorage.setItem("pynvest-lista", list);
      return localStorage.getItem("pynvest-lista") ?? "";
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      return "";
    }
  }

  function sheet() {
    const text = (value) => {
      const guarded = /^[=+\-@＝＋－＠]/.test(value) ? `'${value}` : value;
      return /[;"\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
    };
    const exact = (value) => (value === null ? "" : String(value).replace(".", ","));
    const percent = (key) => (["change", "points"].includes(columns[key].shown) ? " (%)" : "");
    const lines = [["Ativo", "Nome", "Setor ou segmento", ...shownKeys.map((key) => columns[key].title + percent(key))].map(text)];
    for (const asset of hits) {
      lines.push([...[asset.ativo, asset.nome, asset.grupo].map(text), ...shownKeys.map((key) => exact(measured(asset, key)))]);
    }
    return "\uFEFF" + lines.map((cells) => cells.join(";") + "\r\n").join("");
  }

  function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([sheet()], { type: "text/csv" }));
    link.download = "ativos.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  function arrive() {
    apply(location.hash.slice(1));
    if (at("mine").checked) kept(at("list").value);
    draw();
  }

  document.querySelector('section[aria-labelledby="table"]').addEventListener("input", (event) => {
    if (event.target === at("list")) kept(at("list").value);
    changed();
  });
  head.addEventListener("click", (event) => {
    const key = event.target.closest("th")?.dataset.key;
    if (!key) return;
    const down = key in columns && !columns[key].low;
    order = { key, down: key === order.key ? !order.down : down };
    changed();
    head.querySelector(`[data-key="${CSS.escape(key)}"] button`).focus();
  });
  for (const button of document.querySelectorAll(".preset")) {
    button.addEventListener("click", () => {
      apply(button.getAttribute("aria-pressed") === "true" ? "" : button.dataset.screen);
      changed();
    });
  }
  at("clear").addEventListener("click", () => {
    apply("");
    changed();
  });
  at("download").addEventListener("click", download);
  addEventListener("hashchange", arrive);
  at("list").value = kept();
  arrive();
}

// Says of a table that is cut off on the right that it goes on there.
function hintsOfMore() {
  for (const place of document.querySelectorAll(".scroll")) {
    const hint = document.createElement("p");
    hint.className = "note more";
    hint.textContent = "Há mais colunas ao lado: deslize a tabela →";
    place.before(hint);
    const look = () => {
      hint.hidden = place.scrollLeft + place.clientWidth >= place.scrollWidth - 1;
    };
    place.addEventListener("scroll", look);
    const watch = new ResizeObserver(look);
    for (const one of [place, place.firstElementChild]) watch.observe(one);
    look();
  }
}

if (document.getElementById("charts")) drawCharts();
if (document.getElementById("papers")) tableOfAssets();
hintsOfMore();
