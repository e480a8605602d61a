// The looks of the page: one column on a phone, black on white on paper, no colour that carries a meaning alone.

export const HTML_STYLE = `
:root{color-scheme:light;--ink:#1c2430;--soft:#566070;--line:#d8dde5;--page:#f4f6f9;--customer:#dceafe;--staff:#fff;--whisper:#fff4d6}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,"Noto Sans",sans-serif}
main{max-width:46rem;margin:0 auto;padding:1.25rem 1rem 3rem}
header{background:#fff;border:1px solid var(--line);border-radius:1rem;padding:1.25rem 1.5rem}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25}
h3{margin:2rem 0 .75rem;font-size:.875rem;font-weight:600;text-align:center;color:var(--soft)}
.aside{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
dl{margin:0;display:grid;gap:.35rem}
dl div{display:grid;grid-template-columns:minmax(5rem,8rem) 1fr;gap:.75rem}
dt{grid-column:1;color:var(--soft)}
dd{grid-column:2;margin:0;overflow-wrap:anywhere}
ol{list-style:none;margin:0;padding:0;display:flex;flex-direction:column;gap:.75rem}
li{max-width:85%;padding:.65rem .9rem;border:1px solid var(--line);border-radius:1rem;background:var(--staff);align-self:flex-start;overflow-wrap:anywhere}
li.customer{background:var(--customer);border-color:#b9d3fb;align-self:flex-end}
li.whisper{background:var(--whisper);border:2px dashed #a8780a}
li.move{max-width:100%;align-self:center;background:none;border:0;padding:0;color:var(--soft);font-size:.875rem;text-align:center}
li.internal{font-style:italic}
li p{margin:0}
.text p+p{margin-top:.1rem}
.text p{white-space:pre-wrap}
.who{font-size:.8125rem;color:#465060;margin-bottom:.15rem!important}
.who strong{color:var(--ink)}
.who time{white-space:nowrap}
.mark{font-weight:700;color:#6b4a00}
.state{margin-top:.2rem!important;font-size:.8125rem;color:#465060;text-align:end}
.file{margin-top:.4rem}
.file img{display:block;max-width:100%;height:auto;border-radius:.6rem;border:1px solid var(--line)}
.file span{font-size:.8125rem;color:#465060}
a{color:#0b4fb3}
footer{margin-top:2rem;border-top:1px solid var(--line);color:var(--soft);font-size:.8125rem}
code{overflow-wrap:anywhere}
@media print{body{background:#fff;font-size:11pt}main{max-width:none;padding:0}li,header{break-inside:avoid}h3{break-after:avoid}}
`
