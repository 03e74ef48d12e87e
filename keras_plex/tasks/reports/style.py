"""The look of a page: light and dark, phone and desk, screen and paper."""

# Hues of Okabe and Ito, told apart with any colour vision; dashes and markers
# differ too. The dark ones are lighter, for the same contrast.
STYLE = """
:root{color-scheme:light dark;
--page:#f6f7f9;--card:#fff;--ink:#1a1f26;--muted:#5a6572;--rule:#dfe3e8;
--grid:#e6e9ed;--accent:#0067a8;--soft:#e4eff8;--good:#00704f;--bad:#b3400a;
--fill:#8ec3e6;--count:#b4bcc6;
--c0:#0072b2;--c1:#d55e00;--c2:#00875f;--c3:#b0508c;--c4:#a87400;--c5:#4b5563}
@media (prefers-color-scheme:dark){:root{
--page:#0e1116;--card:#171b22;--ink:#e7eaee;--muted:#a3adb9;--rule:#2f3640;
--grid:#272d36;--accent:#66b8f0;--soft:#1c3145;--good:#4fd3a5;--bad:#ff9a62;
--fill:#2f6690;--count:#566070;
--c0:#62b6ee;--c1:#ff8b45;--c2:#3fcf9f;--c3:#e79ccb;--c4:#f0c14b;--c5:#aab4c0}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
main{max-width:1120px;margin:0 auto;padding:24px 16px 48px}
h1{font-size:clamp(1.5rem,4vw,2.1rem);line-height:1.2;margin:0}
h2{font-size:1.25rem;line-height:1.3;margin:0}
h3{font-size:1rem;margin:20px 0 8px}
p{margin:6px 0}
a{color:var(--accent)}
.muted,.note{color:var(--muted)}
.eyebrow{color:var(--muted);font-size:.85rem;margin:0}
.facts{color:var(--muted);font-size:.9rem}
section,.card{background:var(--card);border:1px solid var(--rule);
border-radius:12px;padding:18px;margin-top:16px}
.scores{display:grid;gap:12px;margin-top:16px;
grid-template-columns:repeat(auto-fit,minmax(min(100%,150px),1fr))}
.scores .card{margin:0}
.scores .name{font-size:.85rem;color:var(--muted)}
.scores .number{font-size:1.8rem;font-weight:650;line-height:1.2}
.scores .whole{outline:2px solid var(--accent);outline-offset:-2px}
.scores small{font-size:.85rem;font-weight:400;color:var(--muted)}
.meter{height:8px;border-radius:4px;background:var(--grid);overflow:hidden;
margin-top:6px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.meter i{display:block;height:100%;background:var(--accent)}
.card .meter{margin-bottom:6px}
td .meter{position:relative;overflow:visible}
td .meter i{border-radius:4px}
.meter b{position:absolute;top:3px;height:2px;min-width:2px;
background:var(--ink);outline:1px solid var(--card)}
.wide-cards{grid-template-columns:repeat(auto-fit,minmax(min(100%,230px),1fr))}
.categories{list-style:none;margin:10px 0 0;padding:0;font-size:.85rem}
.categories li{display:grid;grid-template-columns:1fr auto;gap:0 10px;
margin-top:6px}
.categories .meter{grid-column:1/-1;height:5px;margin-top:2px}
table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;color:var(--muted);font-size:.88rem;padding-bottom:6px}
th,td{text-align:left;padding:7px 10px 7px 0;vertical-align:top;
border-top:1px solid var(--rule)}
thead th{border-top:0;color:var(--muted);font-weight:500;font-size:.85rem}
tbody th{font-weight:600}
td:last-child,th:last-child{padding-right:0}
.num{text-align:right;white-space:nowrap;overflow-wrap:normal}
.range{display:block;color:var(--muted);font-size:.82rem;font-weight:400}
.sub{display:block;color:var(--muted);font-size:.82rem;font-weight:400}
th{overflow-wrap:break-word}tbody th{overflow-wrap:anywhere;min-width:6em}
.group{font-weight:600}
.bar-cell{width:26%;padding-left:24px}
thead .zero{text-align:center}
td .meter{margin-top:9px}
.strip{display:block;width:100%;height:24px;margin-top:4px}
.extent{stroke:var(--c);stroke-width:2.5}.middle{fill:var(--c)}
.strip.better{--c:var(--good)}.strip.worse{--c:var(--bad)}
.strip.noise{--c:var(--muted)}
.scroll{overflow-x:auto}
.scroll:focus-visible{outline:2px solid var(--accent)}
.tag{display:inline-block;border-radius:99px;padding:1px 9px;font-size:.8rem;
background:var(--soft);color:var(--ink);white-space:nowrap}
tbody .group{background:var(--page);padding-left:8px;border-radius:6px}
.better,.worse{font-weight:650}
.better{color:var(--good)}.worse{color:var(--bad)}
.task header{display:flex;flex-wrap:wrap;gap:4px 10px;align-items:baseline}
.figures{display:grid;gap:0 24px;margin-top:14px;
grid-template-columns:repeat(auto-fill,minmax(min(100%,310px),1fr))}
figure>:last-child{margin-bottom:20px}
.task .scroll{max-width:760px}
.small{font-size:.85rem}
@media (min-width:900px){.pair{display:grid;gap:32px;align-items:start;
grid-template-columns:400px minmax(0,1fr)}.pair .figures{display:block}
.pair table{margin-top:14px}}
.pair>div+div{margin-top:14px}
.wide{grid-column:1/-1;margin-bottom:20px}
figure{display:grid;grid-template-rows:subgrid;grid-row:span 3;gap:0;margin:0;
align-content:start;min-width:0;max-width:470px;break-inside:avoid}
figcaption{font-size:.92rem;line-height:1.35;margin-bottom:6px}
figcaption .note{display:block;font-size:.84rem}
details{margin-top:14px}
summary{cursor:pointer;color:var(--accent);font-size:.92rem}
.chart{display:block;width:100%;height:auto;overflow:visible}
.chart text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
fill:var(--muted)}
.chart .label{fill:var(--ink)}
.grid{stroke:var(--grid);fill:none}
.axis{stroke:var(--muted);fill:none}
.reference{stroke:var(--muted);stroke-dasharray:5 4;fill:none}
.s0{--c:var(--c0)}.s1{--c:var(--c1)}.s2{--c:var(--c2)}
.s3{--c:var(--c3)}.s4{--c:var(--c4)}.s5{--c:var(--c5)}
.line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
.line.s1{stroke-dasharray:8 3}.line.s2{stroke-dasharray:2 3}
.line.s3{stroke-dasharray:9 3 2 3}.line.s4{stroke-dasharray:5 2}
.line.s5{stroke-dasharray:12 3 2 3 2 3}
.thin{stroke:var(--c);stroke-width:1.6;fill:none}
.mark{fill:var(--c);stroke:var(--card)}
.bar{fill:var(--fill);stroke:var(--ink);stroke-width:.6}
.gap{fill:var(--c1);fill-opacity:.22;stroke:var(--c1);stroke-width:1.4;
stroke-dasharray:3 2}
.interval{stroke:var(--ink);stroke-width:1.2;fill:none}
.dot{fill:var(--ink)}
.count{fill:var(--count)}
.area{stroke-width:1.5}
.a0{fill:var(--fill);fill-opacity:.75;stroke:var(--c0)}
.a1{fill:var(--c1);fill-opacity:.12;stroke:var(--c1);stroke-dasharray:4 2;
stroke-width:2}
.speck{fill:var(--c0);fill-opacity:.45}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;padding:0;
align-content:start;
margin:6px 0 0;font-size:.85rem}
.legend li{display:flex;align-items:center;gap:6px;min-width:0}
.key{width:28px;height:12px;flex:none}.swatch{width:18px;height:12px;flex:none}
dl{display:grid;grid-template-columns:minmax(7em,max-content) 1fr;gap:4px 16px;
margin:8px 0 0;font-size:.92rem}
dt{color:var(--muted)}dd{margin:0}
@media (max-width:620px){main{padding:16px 10px 32px}section,.card{padding:14px}
.bar-cell{display:none}th,td{padding-right:8px}
.num .range{white-space:normal}.verdict{display:block}
tbody th{min-width:8.6em}td .sub{display:none}}
@media print{:root{--page:#fff;--card:#fff;--ink:#000;--muted:#444;
--rule:#bbb;--grid:#ddd;--accent:#0067a8;--soft:#eee;--good:#00704f;
--bad:#b3400a;--fill:#8ec3e6;--count:#b4bcc6;--c0:#0072b2;--c1:#d55e00;
--c2:#00875f;--c3:#b0508c;--c4:#a87400;--c5:#4b5563}
html{font-size:11px}body{font-size:1rem}main{max-width:none;padding:0}
section{border:0;padding:8px 0}tr,.card{break-inside:avoid}
h2,.task>header,.task>p,.task>div>.legend,tr:has(.group){break-after:avoid}
.figures{grid-template-columns:1fr 1fr}
.bar,.gap,.count,.area,.mark,.speck{print-color-adjust:exact;
-webkit-print-color-adjust:exact}}
"""
