"""How a page of findings looks: on a wide and a narrow screen, on paper, in colour and in grey."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, 'DejaVu Sans', sans-serif; color: #1b1b1b; background: #fff; max-width: 860px;
  margin: 2rem auto; padding: 0 1.25rem; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .4rem }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 0 0 .6rem; padding-top: 1.4rem }
section { border-top: 2px solid #1b1b1b; margin-top: 1.6rem }
h3 { font-size: 1rem; margin: 2rem 0 .4rem } p { margin: .4rem 0 }
.answer { font-size: 1.2rem; line-height: 1.4; font-weight: 600; margin: .2rem 0 .8rem }
.note, figcaption { font-size: .875rem; color: #444 }
figure { margin: 1.4rem 0 1rem } figcaption { margin-top: .6rem }
.wide { overflow-x: auto } .hint { display: none }
figure svg { display: block; width: 100%; height: auto; font-family: system-ui, 'DejaVu Sans', sans-serif }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid #d0d0d0 }
thead th { border-bottom: 1.5px solid #1b1b1b; vertical-align: bottom } th { overflow-wrap: normal }
td { min-width: 3.4rem; max-width: 22rem; overflow-wrap: break-word }
td.name { min-width: 6rem } td.what { min-width: 15rem } .number { text-align: right; padding-right: 0 }
.number + .number, .name + .number, th + .number { padding-left: .9rem }
td.number, td.narrow, .time { white-space: nowrap }
tr.tied td { color: #5a5a5a; font-style: italic }
ul { margin: .3rem 0; padding-left: 1.2rem } li { margin: .25rem 0 }
pre { font: .8rem/1.45 ui-monospace, 'DejaVu Sans Mono', monospace; background: #f4f4f4; padding: .6rem .8rem;
  margin: .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
summary { cursor: pointer; margin: .6rem 0; font-size: .9rem }
@media (max-width: 600px) { body { margin: 1rem auto; font-size: 15px; padding: 0 1rem } table { font-size: .85rem }
  .answer { font-size: 1.08rem } h1 { font-size: 1.3rem } .hint { display: block } }
@media print {
  @page { size: A4 portrait; margin: 16mm 15mm } @page broad { size: A4 landscape; margin: 12mm }
  :root { font-size: 10pt } body { margin: 0; padding: 0; max-width: none; font-size: 1rem }
  h3 { margin: 1rem 0 .2rem } h2 { padding-top: .4rem } figure { margin-top: .8rem } th, td { padding-top: .16rem;
  padding-bottom: .16rem } p, li { margin: .15rem 0 }
  section { border-top: 0; margin-top: 0 } section + section { break-before: page }
  h2, h3, .lead { break-after: avoid } figure, tr, li, .answer { break-inside: avoid } p { orphans: 3; widows: 3 }
  .wide { overflow: visible } figure svg { min-width: 0 !important; max-height: 225mm }
  figure.broad { page: broad } figure.broad svg { max-height: 160mm }
  pre.command { background: none; border: 1px solid #999 } details, .hint { display: none }
}
"""
