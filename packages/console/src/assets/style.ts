/** How pages look, dark and light, from 360 px on. */
export const style = `:root{color-scheme:light dark;--bg:light-dark(#fff,#14171c);--fg:light-dark(#1b1f24,#e4e7eb);--dim:light-dark(#57606a,#9da7b3);--line:light-dark(#d5dae0,#343b45);--soft:light-dark(#f4f6f8,#1c2128);--link:light-dark(#0a58b8,#7cb7ff);--bad:light-dark(#b3261e,#ff8f86);--warn:light-dark(#7a4b00,#f0c060);--good:light-dark(#1a6b33,#6fd08c)}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
a{color:var(--link)}
header{border-bottom:1px solid var(--line);background:var(--soft);padding:8px 16px;display:flex;flex-wrap:wrap;gap:4px 16px;align-items:center}
header>b{font-size:17px}
header p{margin:0 0 0 auto;color:var(--dim)}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:0;margin:0;padding:0}
nav a,summary{display:flex;align-items:center;min-height:44px;padding:0 10px;text-decoration:none}
nav a[aria-current]{font-weight:600;color:var(--fg);box-shadow:inset 0 -3px var(--link)}
details.realms{padding:0 16px;border-bottom:1px solid var(--line)}
details.realms ul{max-height:60vh;overflow:auto}
summary{cursor:pointer;gap:6px}
main{padding:8px 16px 48px;max-width:1280px;margin:0 auto}
h1{font-size:22px;margin:12px 0 8px}
h2{font-size:17px;margin:28px 0 8px}
caption{text-align:start;font-weight:600;font-size:17px;padding:8px 0}
.scroll{overflow-x:auto;margin:16px 0;position:relative}
.scroll:focus-visible,:focus-visible{outline:2px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;width:100%;overflow-wrap:normal}
th,td{padding:8px 12px 8px 0;text-align:start;vertical-align:top;border-bottom:1px solid var(--line);max-width:34em;overflow-wrap:anywhere;min-width:5em}
th{color:var(--dim);font-weight:600;white-space:nowrap;overflow-wrap:normal}
.n{text-align:end;font-variant-numeric:tabular-nums}
td:has(.tick),th:has(.hide){min-width:44px}
.hide{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
small,.age,.chart small{color:var(--dim)}
dl{display:flex;flex-wrap:wrap;gap:8px 28px;margin:12px 0}
dt{color:var(--dim);font-size:13px}
dd{margin:0}
.tiles dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:8px}
.tiles dl>div{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:8px 12px}
.tiles dd{font-size:22px;font-variant-numeric:tabular-nums}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:16px;margin:20px 0}
.chart{margin:0}
.chart svg{display:block;width:100%;height:64px;background:var(--soft);border:1px solid var(--line)}
.chart polyline{fill:none;stroke:var(--link);stroke-width:1.5;vector-effect:non-scaling-stroke}
.bar{width:100%;height:20px;fill:var(--fg)}
.bar .rest{fill:var(--line)}.bar .gone{fill:var(--link)}
.line{border-inline-start:2px solid var(--line);list-style:none;padding:0 0 0 16px}
.line li{margin:8px 0}.line .now{color:var(--link)}
.tools{display:flex;flex-wrap:wrap;gap:8px 28px;align-items:end}
form{margin:8px 0}
.tools form{display:flex;flex-wrap:wrap;align-items:end;gap:4px 8px}
.tools label{margin:0}.tools p{margin:0}
label{display:inline-flex;flex-direction:column;color:var(--dim);font-size:13px;margin:0 8px 4px 0;max-width:100%}
.tick{min-width:44px;min-height:32px;align-items:center;justify-content:center;margin:0}
input:not([type=checkbox]),select,button{font:inherit;color:var(--fg);background:var(--bg);border:1px solid var(--dim);border-radius:4px;min-height:44px;padding:0 12px;max-width:100%}
input[type=checkbox]{width:20px;height:20px}
button{cursor:pointer;background:var(--soft)}
button:disabled{cursor:not-allowed;color:var(--dim);border-style:dashed}
.buttons{display:flex;flex-wrap:wrap;gap:8px}
.bad{color:var(--bad)}.warn{color:var(--warn)}.v-fail{color:var(--bad)}.v-warn,.v-unknown{color:var(--warn)}.v-ok{color:var(--good)}
.empty{color:var(--dim);padding:24px 0}
.note{border:1px solid var(--line);border-inline-start:4px solid var(--link);background:var(--soft);padding:8px 12px;margin:8px 0}
.note.bad{border-inline-start-color:var(--bad)}
.who{font-size:18px;margin:0}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--bg);padding:8px}
@media (max-width:600px){header,main,details.realms{padding-inline:10px}header p{margin-inline-start:0}.tiles dl{grid-template-columns:1fr 1fr}}
`
