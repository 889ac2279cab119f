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

function tableOfPapers() {
  const body = document.querySelector("#papers tbody");
  const rows = [...body.rows];
  const words = document.getElementById("words");
  const kind = document.getElementById("kind");
  const liquid = document.getElementById("liquid");
  const shown = document.getElementById("shown");
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const texts = new Map(rows.map((row) => [row, plain([0, 1, 2].map((n) => row.cells[n].textContent).join(" "))]));

  function filter() {
    const wanted = plain(words.value).split(/\s+/);
    let count = 0;
    for (const row of rows) {
      const fits = wanted.every((word) => texts.get(row).includes(word))
        && (!kind.value || row.dataset.kind === kind.value)
        && (!liquid.checked || "liquid" in row.dataset);
      row.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count.toLocaleString("pt-BR")} de ${rows.length.toLocaleString("pt-BR")} papéis`;
  }

  function sort(heading) {
    const place = heading.cellIndex;
    const numeric = heading.classList.contains("n");
    const before = heading.getAttribute("aria-sort");
    const down = before ? before === "ascending" : numeric;
    for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => (numeric ? row.cells[place].dataset.v : row.cells[place].textContent);
    const compare = (a, b) => (numeric ? a - b : a.localeCompare(b, "pt-BR"));
    rows.sort((one, other) => {
      const a = value(one), b = value(other);
      if (!a || !b) return a ? -1 : b ? 1 : 0; // what is missing comes last either way
      return down ? compare(b, a) : compare(a, b);
    });
    body.append(...rows);
  }

  for (const control of [words, kind, liquid]) control.addEventListener("input", filter);
  for (const button of document.querySelectorAll("#papers thead button")) {
    button.addEventListener("click", () => sort(button.parentNode));
  }
  filter();
}

if (document.getElementById("charts")) drawCharts();
if (document.getElementById("papers")) tableOfPapers();
