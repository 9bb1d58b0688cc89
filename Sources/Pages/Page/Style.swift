/// The style sheets of pages and drawings.
enum Style {
    /// Colours in light and dark; each has enough contrast with its background for text or for lines.
    private static let light = """
        --back:#ffffff;--ink:#1b1f24;--soft:#57606a;--line:#8a929b;--grid:#e3e7eb;--card:#f7f8fa;--link:#0b5394;
        --c0:#0072b2;--c1:#c24e00;--c2:#00795b;--c3:#a8508a;--c4:#8a6d00;--c5:#2f86b8;--c6:#5a5f66;--c7:#7a3fb0;
        """
    private static let dark = """
        --back:#14171b;--ink:#e6e9ed;--soft:#a6aeb8;--line:#7d8691;--grid:#2c323a;--card:#1b1f25;--link:#8cc4f5;
        --c0:#56a8e8;--c1:#f0955a;--c2:#3fc79d;--c3:#dd95c6;--c4:#dcc14a;--c5:#9ad0f5;--c6:#b4bac2;--c7:#bd94ea;
        """

    /// The style of drawings below `root`, which also has the colours.
    static func drawing(root: String) -> String {
        let series = (0..<Ink.series).map { ".s\($0){--own:var(--c\($0))}" }.joined()
        let isFile = root == "svg"
        let colours =
            isFile
            ? "svg{\(light)background:var(--back)}@media(prefers-color-scheme:dark){svg{\(dark)}}@media print{svg{\(light)}}"
            : ""
        return colours
            + """
            \(root) text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
            \(root) .name{fill:var(--soft)}
            \(root) .onLight{fill:#000000;font-size:10.5px}
            \(root) .onDark{fill:#ffffff;font-size:10.5px}
            \(root) .grid{stroke:var(--grid);stroke-width:1}
            \(root) .axis{stroke:var(--line);stroke-width:1}
            \(root) .reference{stroke:var(--ink);stroke-width:1;stroke-dasharray:3 3}
            \(root) .curve{fill:none;stroke:var(--own);stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
            \(root) .other{fill:none;stroke:var(--line);stroke-width:.8;stroke-opacity:.55;stroke-linejoin:round}
            \(root) .band{fill:var(--own);fill-opacity:.16;stroke:none}
            \(root) .dot{fill:var(--own);stroke:var(--back);stroke-width:.8}
            \(root) .fill{fill:var(--own)}
            \(root) .whisker{stroke:var(--own);stroke-width:2}
            \(root) .empty{fill:none;stroke:var(--grid)}
            \(series)

            """
    }

    /// The style of a page.
    static let page = """
        :root{color-scheme:light dark;\(light)}
        @media(prefers-color-scheme:dark){:root{\(dark)}}
        *{box-sizing:border-box}
        html{scroll-behavior:smooth}
        @media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
        body{margin:0 auto;max-width:1240px;padding:1rem;background:var(--back);color:var(--ink);
        font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:anywhere}
        h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}
        h2{font-size:1.25rem;margin:2rem 0 .5rem;border-top:1px solid var(--grid);padding-top:1rem}
        h3{font-size:1rem;margin:0 0 .25rem}
        p{margin:.4rem 0;max-width:75ch}
        a{color:var(--link)}
        nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:.75rem 0;padding:0}
        nav a{display:inline-block;padding:.25rem 0}
        .skip{position:absolute;left:-100vw}
        .skip:focus{left:1rem;top:.5rem;background:var(--back);padding:.5rem;z-index:1}
        :focus-visible{outline:3px solid var(--link);outline-offset:2px}
        .figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21.5rem),1fr));gap:1rem;align-items:start}
        figure{margin:0;padding:.75rem;background:var(--card);border:1px solid var(--grid);border-radius:8px;min-width:0}
        figure svg{display:block;width:100%;max-width:34rem;height:auto;margin:.25rem auto 0}
        .reading{font-size:.875rem;color:var(--soft);margin:0 0 .25rem}
        details{font-size:.875rem;margin-top:.25rem}
        summary{cursor:pointer;color:var(--link);padding:.25rem 0}
        .scroll{overflow:auto;max-height:24rem}
        table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;overflow-wrap:normal}
        th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid var(--grid);white-space:nowrap}
        th:first-child{text-align:left}
        thead th{position:sticky;top:0;background:var(--card)}
        .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
        @media(max-width:480px){body{padding:.75rem}figure{padding:.5rem}}
        footer{margin-top:2rem;border-top:1px solid var(--grid);color:var(--soft);font-size:.875rem}
        @media print{:root{color-scheme:light;\(light)}body{max-width:none;padding:0;font-size:11pt}nav,.skip,details{display:none}
        .figures{grid-template-columns:1fr 1fr}figure,section>h2{break-inside:avoid}h2{break-after:avoid}}

        """
}
