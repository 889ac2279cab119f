const read = (id) => JSON.parse(document.getElementById(id).textContent);

// Draws a chart in a place; a click on an asset's mark opens the asset's panel.
async function drawChart(place, spec, more = {}) {
  const { config, numberLocale, timeLocale } = read("settings");
  const narrow = place.clientWidth < 400;
  const columns = narrow ? 2 : 3;
  const labelLimit = Math.floor((place.clientWidth - 60) / columns) - 34;
  const drawn = await vegaEmbed(place, spec, {
    actions: false,
    renderer: "svg",
    config: {
      ...config,
      axisY: { labelLimit: narrow ? 120 : 220 },
      legend: { ...config.legend, columns, columnPadding: 8, labelLimit },
    },
    formatLocale: numberLocale,
    timeFormatLocale: timeLocale,
    ...more,
  });
  drawn.view.addEventListener("click", (event, item) => item?.datum?.ativo && openPanel(item.datum.ativo));
  return drawn;
}

function drawCharts() {
  return Promise.all(Object.entries(read("charts")).map(([name, spec]) => drawChart(
    document.getElementById(`chart-${name}`), spec, { patch: name in NAMED ? nameWhereThereIsRoom : undefined })));
}

// The same number formats as in report/numbers.py.
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
// The parts of the address: first the asset in the open panel (as in #PETR4&tipo=acoes), then the table's
// filters and order, then the series that the panel draws.
const state = { asset: "", table: "", series: "" };

function readAddress() {
  const said = location.hash.slice(1);
  const [first, ...rest] = said.split("&");
  const isAsset = /^[A-Za-z0-9]+$/.test(first);
  state.asset = isAsset ? first.toUpperCase() : "";
  state.table = isAsset ? rest.join("&") : said;
  state.series = new URLSearchParams(state.table).get("grafico") ?? "";
}

function address() {
  const said = [state.asset, state.table, state.series && `grafico=${state.series}`].filter(Boolean).join("&");
  return said ? `#${said}` : location.href.split("#")[0];
}

const writeAddress = () => history.replaceState(null, "", address());

const SCALES = { tri: 1e12, bi: 1e9, mi: 1e6, mil: 1e3 };

// "1,5 mi" gives 1500000. A text without a number gives NaN, and an empty text gives null.
function typed(text) {
  if (!text.trim()) return null;
  const found = /^([-−]?)([\d.,]+)\s*(tri|bi|mi|mil)?$/i.exec(text.trim().replace(/\s*%$/, ""));
  if (!found) return NaN;
  const isBrazilian = /^(\d*|[1-9]\d{0,2}(\.\d{3})+)(,\d*)?$/.test(found[2]);
  const digits = isBrazilian ? found[2].replaceAll(".", "").replace(",", ".") : found[2];
  return (found[1] ? -1 : 1) * Number(digits) * (SCALES[found[3]?.toLowerCase()] ?? 1);
}

const LISTED = ["cotacao", "dia", "mes", "12m", "pvp", "yield", "pl"];

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const linkTo = (ticker) => element("a", { href: `#${ticker}` }, ticker);

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
  // A change is a percentage in the address, the fields and the CSV, as in the table.
  const measured = (asset, key) => {
    const value = number(asset, key);
    return value === null || columns[key].shown !== "change" ? value : parseFloat((100 * value).toPrecision(12));
  };
  const first = { key: "volume" in columns ? "volume" : "ativo", down: "volume" in columns };
  const defaults = keys.filter((key) => columns[key].default);
  let order = { ...first };
  let then = null; // second sort key, such as pvp in an address with grupo,pvp
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

  function described(bounds) {
    const said = new URLSearchParams();
    const say = (name, value) => value && said.set(name, value);
    say("palavras", at("words").value.trim());
    say("tipo", at("kind").value);
    say("grupo", at("group").value);
    say("liquidos", at("liquid").checked && "1");
    say("lista", at("mine").checked && tickers(at("list").value).join(","));
    for (const { key, low, high } of bounds) say(key, `${low ?? ""}..${high ?? ""}`);
    say("primeiros", at("first").value);
    if (order.key !== first.key || order.down !== first.down) {
      say("ordem", [order, then].filter(Boolean).map(({ key, down }) => (down ? "-" : "") + key).join(","));
    }
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
        const end = parseFloat(ends[place]?.replace(",", "."));
        field(kind, key).value = Number.isNaN(end) ? "" : end.toLocaleString("pt-BR", { maximumFractionDigits: 9 });
      });
    }
    const orders = (said.get("ordem") ?? "").split(",").map((text) => ({ key: text.replace(/^-/, ""), down: text.startsWith("-") }));
    const [sorted, tied] = orders.filter(({ key }) => [...keys, "ativo", "nome", "grupo"].includes(key));
    order = sorted ?? { ...first };
    then = tied ?? null;
    const wanted = said.has("colunas") ? said.get("colunas").split(",") : defaults;
    for (const one of keys) field("column", one).checked = wanted.includes(one);
  }

  function cellOf(asset, key) {
    const value = number(asset, key);
    const moved = columns[key].shown === "change" && value ? (value > 0 ? " up" : " down") : "";
    return element("td", { className: `n${moved}` }, value === null ? "–" : written[columns[key].shown](value));
  }

  function drawColumns(bounds) {
    const wanted = new Set([...chosen(), ...bounds.map(({ key }) => key), order.key]);
    const now = keys.filter((key) => wanted.has(key));
    if (now.join() !== shownKeys.join()) {
      shownKeys = now;
      for (const heading of [...head.cells].slice(3)) heading.remove();
      for (const key of now) {
        const heading = element("th", { scope: "col", className: "n" },
          element("button", { type: "button", title: columns[key].hint }, columns[key].title));
        heading.dataset.key = key;
        head.append(heading);
      }
      for (const asset of assets) {
        while (asset.row.cells.length > 3) asset.row.lastChild.remove();
        for (const key of now) {
          asset.row.append(cellOf(asset, key));
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
  }

  function fitting(bounds) {
    const words = plain(at("words").value).split(/[\s,;]+/).filter(Boolean);
    // An asset's ticker must start with one of the tickers and four-letter roots among the words. All other words
    // must be in the asset's text. A single root counts as one of the other words.
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
    const comparisons = [order, then].filter(Boolean).map(({ key, down }) => {
      const numeric = key in columns;
      const value = (asset) => (numeric ? number(asset, key) : asset[key] || null);
      const compare = (a, b) => (numeric ? a - b : a.localeCompare(b, "pt-BR"));
      return (one, other) => {
        const a = value(one), b = value(other);
        if (a === null || b === null) return (a === null) - (b === null); // missing values come last
        return down ? compare(b, a) : compare(a, b);
      };
    });
    const byTicker = (one, other) => (one.ativo < other.ativo ? -1 : 1);
    return found.sort((one, other) => comparisons.reduce((so, compare) => so || compare(one, other), 0) || byTicker(one, other));
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
    if (hits.some(({ row }, nth) => row !== body.rows[nth])) body.append(...hits.map(({ row }) => row));
    const absent = at("mine").checked
      ? tickers(at("list").value).filter((ticker) => !assets.some(({ ativo }) => ativo === ticker)) : [];
    at("shown").textContent = `${hits.length.toLocaleString("pt-BR")} de ${rows.length.toLocaleString("pt-BR")} ativos`
      + (absent.length ? `; não estão nesta página: ${absent.join(", ")}` : "");
    const said = described(bounds);
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
    const meant = columns[order.key]?.meaning;
    at("meaning").textContent = meant ? `Em ordem de ${columns[order.key].title}: ${meant}.` : "";
    drawList();
    return said;
  }

  function changed() {
    state.table = draw();
    writeAddress();
  }

  // The reader's list, at the top of the page.
  function drawList() {
    const listed = tickers(at("list").value);
    const found = listed.map((ticker) => assets.find(({ ativo }) => ativo === ticker)).filter(Boolean);
    const absent = listed.filter((ticker) => !found.some(({ ativo }) => ativo === ticker));
    const shown = LISTED.filter((key) => key in columns);
    at("own").hidden = !listed.length;
    at("own-absent").textContent = absent.length ? `Não estão nesta página: ${absent.join(", ")}.` : "";
    const place = at("own-table");
    place.hidden = !found.length;
    place.querySelector("thead").replaceChildren(element("tr", {},
      element("th", { scope: "col" }, "Ativo"), element("th", { scope: "col" }, "Nome"),
      ...shown.map((key) => element("th", { scope: "col", className: "n", title: columns[key].hint }, columns[key].title))));
    place.querySelector("tbody").replaceChildren(...found.map((asset) => element("tr", {},
      element("th", { scope: "row" }, linkTo(asset.ativo)), element("td", {}, asset.nome),
      ...shown.map((key) => cellOf(asset, key)))));
  }

  // Some browsers store no data for a local file, so the address also contains the list.
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
    apply(state.table);
    if (at("mine").checked) kept(at("list").value);
    state.table = draw();
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
    then = null;
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
  // The sorted column stays visible beside the first column, so CSS needs the first column's width.
  new ResizeObserver(([entry]) => at("papers").style.setProperty("--first", `${entry.target.offsetWidth}px`)).observe(head.cells[0]);
  at("list").value = kept();
  return {
    arrive,
    isListed: (ticker) => tickers(at("list").value).includes(ticker),
    toggleListed(ticker) {
      const listed = tickers(at("list").value);
      at("list").value = (listed.includes(ticker) ? listed.filter((one) => one !== ticker) : [...listed, ticker]).join(", ");
      kept(at("list").value);
      changed();
    },
  };
}

// Shows a hint above each table that has more columns to the right.
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
  }
}

// Only names with enough room are drawn. This needs Vega's label transform, which Vega-Lite lacks.
const NAMED = { stocks: true, funds: true };

function nameWhereThereIsRoom(spec) {
  const anchor = ["right", "left", "top", "bottom", "top-right", "top-left", "bottom-right", "bottom-left"];
  const avoidMarks = spec.marks.filter(({ type }) => type === "symbol").map(({ name }) => name);
  for (const mark of spec.marks) {
    if (mark.type === "text") mark.transform = [{ type: "label", size: { signal: "[width, height]" }, anchor, offset: [5], avoidMarks }];
  }
  return spec;
}

// The data of all panels, decompressed when the first panel is opened.
let unpacked;
function panelData() {
  unpacked ??= (async () => {
    const bytes = Uint8Array.from(atob(document.getElementById("panels").textContent), (one) => one.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  })();
  return unpacked;
}

// Returns a number, or null, for each session. panel_data in report/panel.py describes the text.
function seriesOf(text, sessions) {
  if (text === undefined) return sessions.map(() => null);
  const fields = text.split(",");
  let last = null;
  return sessions.map((_, place) => {
    if (fields[place]) last = fields[place] === "-" ? null : Number(fields[place]);
    return last;
  });
}

function openPanel(ticker) {
  state.asset = ticker;
  history.pushState(null, "", address());
  panel.arrive();
}

const dateOf = (iso) => iso.split("-").reverse().join("/");
const SHOWN_AT_FIRST = { acoes: ["pl", "yield"], fiis: ["pvp", "yield"] };

function panelOfAsset(table) {
  const dialog = document.getElementById("panel");
  const at = (id) => document.getElementById(`panel-${id}`);
  let drawn = "";
  let charts = [];
  let kinds = {};

  const whatIsAsked = () => `${state.asset}&${state.series}`;
  const value = (indicator, number) => (number === null || number === undefined ? "–"
    : indicator.shown in written ? indicator.before + written[indicator.shown](number) + indicator.after : String(number));

  function standing(indicator, place, members) {
    const own = indicator.values[place];
    const others = members.map((one) => indicator.values[one]).filter((one) => one !== null).sort((a, b) => a - b);
    if (!others.length) return { median: null, rank: "–" };
    const middle = (others.length - 1) / 2;
    const median = (others[Math.floor(middle)] + others[Math.ceil(middle)]) / 2;
    const rank = own === null || others.length < 2 ? "–" : `${others.filter((one) => one > own).length + 1}º de ${others.length}`;
    return { median, rank };
  }

  function fillIndicators(kind, place) {
    const group = kind.groups[place];
    const members = group === null ? [] : kind.groups.flatMap((one, at) => (one === group ? [at] : []));
    let section = "";
    const rows = [];
    for (const indicator of kind.indicators) {
      const numeric = indicator.shown in written;
      const own = indicator.values[place];
      const known = own !== null || members.some((one) => indicator.values[one] !== null);
      if (!known) continue;
      if (indicator.section !== section) {
        section = indicator.section;
        rows.push(element("tr", {}, element("th", { colSpan: 4, scope: "rowgroup", className: "section" }, section)));
      }
      const name = element("th", { scope: "row" }, element("details", {},
        element("summary", {}, indicator.title), element("p", { className: "note" }, `${indicator.meaning}.`)));
      if (!numeric) {
        rows.push(element("tr", {}, name, element("td", { colSpan: 3 }, value(indicator, own))));
        continue;
      }
      const { median, rank } = standing(indicator, place, members);
      const moved = indicator.shown === "change" && own ? (own > 0 ? " up" : " down") : "";
      rows.push(element("tr", {}, name, element("td", { className: `n${moved}` }, value(indicator, own)),
        element("td", { className: "n" }, value(indicator, median)), element("td", { className: "n" }, rank)));
    }
    at("rows").replaceChildren(...rows);
    const what = kind === kinds.fiis ? "segmento" : "setor";
    at("compared").textContent = group === null ? `O site não diz o ${what} deste ativo: não há com o que comparar.`
      : `Mediana e posição entre os ativos do ${what} ${group} que negociam e têm o número: ${members.length} no total. 1º é o maior valor. Toque em um nome para ver o que ele quer dizer.`;
  }

  async function fill(ticker) {
    if (!("DecompressionStream" in window)) {
      at("about").textContent = "Este navegador é antigo demais para abrir o painel: ele precisa de DecompressionStream (de 2023).";
      return;
    }
    const data = await panelData();
    if (state.asset !== ticker) return;
    kinds = data;
    const name = ["acoes", "fiis"].find((one) => data[one].tickers.includes(ticker));
    at("body").hidden = !name;
    at("list").hidden = !name;
    if (!name) {
      at("about").textContent = "Este ativo não está nesta página: ele não é do último dia do lake, ou não negocia há mais de trinta dias.";
      return;
    }
    const kind = data[name];
    const place = kind.tickers.indexOf(ticker);
    const row = [...document.querySelectorAll("#papers tbody tr")].find(({ cells }) => cells[0].textContent === ticker);
    at("about").textContent = [row.cells[1].textContent, row.cells[2].textContent].filter(Boolean).join(" · ");
    fillIndicators(kind, place);
    fillHistory(data, kind, name, place);
    sayListed(ticker);
    dialog.dataset.filled = ticker;
  }

  function sayListed(ticker) {
    at("list").textContent = table.isListed(ticker) ? "Tirar da minha lista" : "Pôr na minha lista";
  }

  function fillHistory(data, kind, name, place) {
    const choices = kind.series.map((column) => kind.indicators.find((one) => one.name === column)).filter(Boolean);
    const wanted = state.series ? state.series.split(",") : SHOWN_AT_FIRST[name];
    const boxes = choices.slice(1).map((one) => {
      const box = element("input", { type: "checkbox", checked: wanted.includes(one.key), value: one.key });
      return element("label", {}, box, ` ${one.title}`);
    });
    at("series").replaceChildren(...boxes);
    at("series").onchange = () => {
      const picked = [...at("series").querySelectorAll(":checked")].map((box) => box.value);
      state.series = picked.join(",") || "nada";
      drawn = whatIsAsked();
      writeAddress();
      drawHistory(data, kind, place, choices);
    };
    drawHistory(data, kind, place, choices);
  }

  function drawHistory(data, kind, place, choices) {
    const ticker = kind.tickers[place];
    const picked = [...at("series").querySelectorAll(":checked")].map((box) => box.value);
    const texts = kind.history[place] ?? [];
    const series = choices.map((one, nth) => ({ one, numbers: seriesOf(texts[nth], data.sessions) }))
      .filter(({ one }, nth) => nth === 0 || picked.includes(one.key));
    const own = data.sessions.filter((_, nth) => series[0]?.numbers[nth] !== null);
    const [first, last] = [own[0], own.at(-1)];
    const bad = Object.entries(data.bad).filter(([day]) => first <= day && day <= last);
    const splits = kind.splits[ticker] ?? [];
    const enough = own.length > 1;
    for (const chart of charts) chart.then((made) => made.finalize());
    charts = [];
    at("charts").replaceChildren();
    at("series").hidden = !enough;
    at("history-note").textContent = enough
      ? "Cotações como o site as mostrou: não ajustadas por desdobramentos, grupamentos e proventos."
      : "O histórico deste ativo ainda não tem dois pregões.";
    const times = (factor) => (factor >= 1 ? `× ${decimal(factor)}` : `÷ ${decimal(1 / factor)}`);
    at("splits").replaceChildren(...splits.map(([day, shares, price]) => element("li", {},
      `Possível ${shares > 1 ? "desdobramento" : "grupamento"} em ${dateOf(day)}: número de ${kind === kinds.fiis ? "cotas" : "ações"} ${times(shares)}, cotação ${times(price)}.`)));
    at("bad").textContent = enough && bad.length
      ? `Linhas verticais: dias do lake com veredito ruim (${["falha", "aviso"].map((word) => [word, bad.filter(([, one]) => one === word)])
        .filter(([, days]) => days.length).map(([word, days]) => `${word} em ${days.length > 6 ? `${days.length} dias` : days.map(([day]) => dateOf(day)).join(", ")}`).join("; ")}).` : "";
    if (!enough) return;
    for (const { one, numbers } of series) drawSeries(ticker, one, numbers, data.sessions, bad, splits, [first, last]);
    fillTable(series, data.sessions);
  }

  function drawSeries(ticker, one, numbers, sessions, bad, splits, domain) {
    const values = sessions.map((day, nth) => ({ "pregão": day, valor: numbers[nth] })).filter(({ valor }) => valor !== null);
    if (!values.length) {
      at("charts").append(element("p", { className: "note" }, `${one.title}: sem valor nestes pregões.`));
      return;
    }
    const all = values.map(({ valor }) => valor);
    const said = (number) => value(one, number);
    const summary = `de ${said(all[0])} em ${dateOf(values[0]["pregão"])} a ${said(all.at(-1))} em ${dateOf(values.at(-1)["pregão"])}; mínimo ${said(Math.min(...all))}, máximo ${said(Math.max(...all))}`;
    const unit = one.shown === "points" ? ", %" : one.before ? ", em reais" : one.after ? ", em vezes" : "";
    const place = element("div", { className: "chart" });
    at("charts").append(element("figure", {}, element("h4", {}, one.title + unit), place, element("figcaption", {}, summary)));
    const x = (field) => ({
      field, type: "temporal", timeUnit: "utcyearmonthdate", title: null, scale: { domain: domain.map((day) => Date.parse(day)) },
      axis: { format: "%d/%m/%y", tickCount: place.clientWidth < 400 ? 3 : 6, labelOverlap: true, labelFlush: true, grid: false },
    });
    const day = (field, title) => ({ field, type: "temporal", timeUnit: "utcyearmonthdate", format: "%d/%m/%Y", title });
    charts.push(drawChart(place, {
      description: `${one.title} de ${ticker}, ${summary}`,
      width: "container",
      height: 160,
      layer: [
        {
          data: { values },
          layer: [
            { mark: { type: "line", color: "var(--main)", strokeWidth: 2, interpolate: "linear", point: values.length < 40 ? { color: "var(--main)" } : false } },
            { mark: { type: "rule", strokeWidth: Math.max(4, place.clientWidth / values.length), opacity: 0 }, encoding: { y: { value: 0 }, y2: { value: 160 } } },
          ],
          encoding: {
            x: x("pregão"),
            y: { field: "valor", type: "quantitative", title: null, scale: { zero: false }, axis: { tickCount: 4, minExtent: 42, format: ",.2~f" } },
            tooltip: [day("pregão", "pregão"), { field: "valor", type: "quantitative", format: one.shown === "points" ? ",.1f" : ",.2f", title: one.title }],
          },
        },
        {
          data: { values: bad.map(([dia, veredito]) => ({ dia, veredito })) },
          mark: { type: "rule", strokeWidth: 2 },
          encoding: {
            x: x("dia"),
            color: { field: "veredito", type: "nominal", legend: null, scale: { domain: ["aviso", "falha"], range: ["var(--aviso)", "var(--falha)"] } },
            strokeDash: { field: "veredito", type: "nominal", legend: null, scale: { domain: ["aviso", "falha"], range: [[2, 3], [1, 0]] } },
            tooltip: [day("dia", "dia do lake"), { field: "veredito", type: "nominal" }],
          },
        },
        {
          data: { values: splits.map(([dia]) => ({ dia, o: "possível desdobramento ou grupamento" })) },
          mark: { type: "rule", strokeWidth: 2, color: "var(--line-4)", strokeDash: [8, 3] },
          encoding: { x: x("dia"), tooltip: [day("dia", "dia"), { field: "o", type: "nominal", title: "marca" }] },
        },
      ],
    }, { mode: "vega-lite", tooltip: { id: "panel-tooltip", styleId: "panel-tooltip-style" } }));
  }

  function fillTable(series, sessions) {
    at("data-head").replaceChildren(element("th", { scope: "col" }, "Pregão"), ...series.map(({ one }) => element("th", { scope: "col", className: "n" }, one.title)));
    at("data-rows").replaceChildren(...sessions.flatMap((day, nth) => (series[0].numbers[nth] === null ? [] : [element("tr", {}, element("th", { scope: "row" }, dateOf(day)),
      ...series.map(({ one, numbers }) => element("td", { className: "n" }, value(one, numbers[nth]))))])).reverse());
  }

  function arrive() {
    if (!state.asset) {
      drawn = "";
      if (dialog.open) dialog.close();
      return;
    }
    if (drawn === whatIsAsked() && dialog.open) return;
    drawn = whatIsAsked();
    at("title").textContent = state.asset;
    at("about").textContent = "Abrindo…";
    at("body").hidden = true;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    at("title").focus();
    fill(state.asset);
  }

  // Remove the asset from the address, whether a key, a click or a button closed the dialog.
  dialog.addEventListener("close", () => {
    if (!state.asset) return;
    state.asset = "";
    drawn = "";
    writeAddress();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  at("close").addEventListener("click", () => dialog.close());
  at("list").addEventListener("click", () => {
    table.toggleListed(state.asset);
    sayListed(state.asset);
  });
  return { arrive };
}

let panel;
if (document.getElementById("papers")) {
  const table = tableOfAssets();
  panel = panelOfAsset(table);
  const arrive = () => {
    readAddress();
    table.arrive();
    panel.arrive();
  };
  addEventListener("hashchange", arrive);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openPanel(link.hash.slice(1));
  });
  arrive();
  // Draw the charts first, because the rows are further down the page.
  drawCharts().then(() => document.getElementById("papers").classList.remove("waiting"));
}
hintsOfMore();
