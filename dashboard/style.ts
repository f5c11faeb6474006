/** Tokens first: everything below takes its colours and distances from here. Both schemes pass WCAG AA on their ground. */
export const style = `:root {
  color-scheme: light dark;
  --ground: light-dark(#fafaf9, #131416); --card: light-dark(#fff, #1a1c1f); --line: light-dark(#dededb, #34383d);
  --text: light-dark(#1b1c1e, #e9e9e6); --soft: light-dark(#5a5d63, #a9acb2); --link: light-dark(#1c57ae, #8ab4f8);
  --live: light-dark(#126440, #63d297); --live-soft: light-dark(#e3f3ea, #16301f);
  --moving: light-dark(#1c57ae, #8ab4f8); --moving-soft: light-dark(#e6eefb, #16253d);
  --held: light-dark(#744c00, #f0c060); --held-soft: light-dark(#fdf1d8, #352a12);
  --failed: light-dark(#a5221a, #ff8a80); --failed-soft: light-dark(#fbe6e4, #3d1917);
  --gone: light-dark(#55585e, #a9acb2); --gone-soft: light-dark(#ededeb, #2a2d31);
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace;
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--text); font: 0.9375rem/1.5 system-ui, "Segoe UI", "Liberation Sans", sans-serif }
a { color: var(--link); text-underline-offset: 0.15em } h1 a, h2 a, nav a, td a { text-decoration: none } a:hover { text-decoration: underline }
h1, h2 { margin: 0; font-weight: 600; letter-spacing: -0.01em } h1 { font-size: 1.3rem } h2 { font-size: 1rem }
p, dl, pre { margin: 0 } code, .sha, pre { font: 0.86em/1.5 var(--mono) } code, dd, td, h1, .release, p { overflow-wrap: anywhere }
.soft { color: var(--soft) }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px } main:focus { outline: none }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.skip { position: absolute; left: -99rem } .skip:focus { left: 0.5rem; top: 0.5rem; background: var(--card); padding: 0.5rem; z-index: 1 }
header.top { display: flex; align-items: center; flex-wrap: wrap; gap: 0.5rem 1.25rem; padding: 0.6rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--card) }
header.top nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; flex: 1 } header.top nav a { color: var(--soft); padding: 0.25rem 0 } header.top nav a[aria-current] { color: var(--text); font-weight: 600 }
.alive { font-size: 0.85rem } .alive.late { color: var(--held); font-weight: 600 }
main { max-width: 80rem; margin: 0 auto; padding: 1.25rem; display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr) } main.narrow { max-width: 30rem; padding-top: 12vh }
.time { max-width: 80rem; margin: 0 auto; padding: 1.25rem 1.25rem 0 } .time, .find { display: flex; flex-wrap: wrap; gap: 0.4rem 0.75rem; align-items: center; font-size: 0.875rem }
.time form { display: flex; flex-wrap: wrap; gap: 0.4rem 0.75rem; align-items: center } .slide { display: flex; flex: 1 1 22rem; gap: 0.6rem; align-items: center } .slide[hidden] { display: none } .slide input { flex: 1; min-width: 6rem; padding: 0; accent-color: var(--link) } .slide output { min-width: 9rem; color: var(--soft) } .time a { margin-left: 0.5rem } .past { color: var(--held) }
input { font: inherit; color: inherit; padding: 0.3rem 0.6rem; border: 1px solid var(--soft); border-radius: 6px; background: var(--card); min-width: 0; max-width: 100% } .narrow input, .confirm input { width: 100% }
button, .button { font: inherit; display: inline-block; padding: 0.28rem 0.75rem; min-height: 2rem; border-radius: 6px; border: 1px solid var(--soft); background: var(--card); color: inherit; cursor: pointer; text-decoration: none } button.main { border-color: var(--text); font-weight: 600 }
.grid { display: grid; gap: 0.9rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)) }
.card, .confirm { border: 1px solid var(--line); border-radius: 10px; background: var(--card); padding: 0.9rem 1rem; display: grid; gap: 0.6rem; align-content: start; grid-template-columns: minmax(0, 1fr) }
.card > header, header.head { display: flex; align-items: baseline; gap: 0.25rem 0.6rem; flex-wrap: wrap } .card > header .end { margin-left: auto; overflow-wrap: anywhere }
.badge { display: inline-flex; gap: 0.35em; align-items: center; padding: 0.05rem 0.5rem; border-radius: 99px; font-size: 0.8rem; font-weight: 600; white-space: nowrap }
.badge svg { width: 0.6rem; height: 0.6rem; fill: currentColor; flex: none }
.badge.live { color: var(--live); background: var(--live-soft) } .badge.moving { color: var(--moving); background: var(--moving-soft) } .badge.held { color: var(--held); background: var(--held-soft) } .badge.failed { color: var(--failed); background: var(--failed-soft) } .badge.gone { color: var(--gone); background: var(--gone-soft) }
.filters a[aria-current] { color: var(--text); font-weight: 600; text-decoration: none } .queue { margin: 0.4rem 0 0; padding-left: 1.5rem } .dense td { padding-top: 0.25rem; padding-bottom: 0.25rem } .dense .badge { margin-right: 0.3rem }
.release { display: grid; gap: 0.1rem } .release .what { font-weight: 600; color: inherit; text-decoration: none }
.row { display: flex; gap: 0.4rem 0.6rem; align-items: center; flex-wrap: wrap; padding-top: 0.55rem; border-top: 1px solid var(--line) } .confirm .row, .narrow .row { border: 0 }
.reason { border-left: 3px solid var(--failed); padding: 0.3rem 0.75rem; background: var(--failed-soft) }
dl { display: grid; grid-template-columns: minmax(5.5rem, max-content) minmax(0, 1fr); gap: 0.25rem 1rem } dt { color: var(--soft) } dd { margin: 0 }
table { width: 100%; border-collapse: collapse } caption { text-align: left; font-weight: 600; padding: 0.6rem 0 0.4rem }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 0.85rem } th, td { padding: 0.42rem 0.6rem 0.42rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
.field { display: inline-flex; gap: 0.4rem; align-items: center; min-width: 0; max-width: 100% } ul.plain { margin: 0; padding: 0; list-style: none } td time { white-space: nowrap }
tr:target { background: var(--held-soft) }
td.bar { width: 50% } td.bar svg { width: 100%; height: 0.6rem; display: block; margin-top: 0.4rem } .bar rect { fill: var(--moving) } .bar rect.failed { fill: var(--failed) }
.bands { width: 100%; height: 1.4rem; display: block } .bands rect { fill: var(--live) } .bands rect.failed { fill: var(--failed) } .bands rect.rollback, .bands rect.restore { fill: var(--held) }
.days { width: 100%; height: 3rem; display: block; border-bottom: 1px solid var(--line) } .days rect { fill: var(--live) } .days rect.failed { fill: var(--failed) } .figure { font-size: 1.4rem; font-weight: 600 }
pre { overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere } pre.log { padding: 0.8rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); max-height: 32rem }
pre.log mark { display: block; margin: 0 -0.8rem; padding: 0 0.8rem; background: var(--failed-soft); color: inherit; box-shadow: inset 3px 0 var(--failed) }
.cli { display: block; margin-top: 0.3rem; padding: 0.45rem 0.6rem; border-radius: 6px; background: var(--ground); border: 1px solid var(--line); overflow-wrap: anywhere; color: var(--text) }
pre.log .number { display: inline-block; min-width: 3rem; margin-right: 0.8rem; text-align: right; color: var(--soft); user-select: none } .reason pre.log { background: transparent; border: 0; padding: 0.4rem 0.8rem 0; max-height: 20rem }
.copy { min-height: 1.5rem; padding: 0 0.45rem; font-size: 0.78rem; color: var(--soft); border-color: var(--line) } .copy[hidden] { display: none } .copy.done { color: var(--live); border-color: var(--live) }
dialog { border: 1px solid var(--line); border-radius: 10px; background: var(--card); color: var(--text); padding: 1rem 1.25rem } dialog dl { margin-top: 0.6rem } kbd { font: 0.86em/1.5 var(--mono); border: 1px solid var(--line); border-radius: 4px; padding: 0 0.35rem }
main section { display: grid; gap: 0.6rem; grid-template-columns: minmax(0, 1fr) } .line { display: flex; gap: 0.5rem; align-items: center; margin-top: 0.3rem } .line .cli { flex: 1; margin: 0; min-width: 0 } .from { min-width: 8.5rem }
summary { cursor: pointer }
@media (max-width: 40rem) { header.top nav { flex-basis: 100%; order: 1 } header.top form { margin-left: auto } main { padding: 0.8rem } .time { padding: 0.8rem 0.8rem 0 } table, caption, tbody, tr, td, th[scope="row"] { display: block; width: 100% } thead { display: none } tr { padding: 0.5rem 0; border-bottom: 1px solid var(--line) } th, td { border: 0; padding: 0.1rem 0 } td.bar { width: 100% } dl { grid-template-columns: minmax(0, 1fr) } dt { margin-top: 0.3rem } }
`;
