/** What pages do with a script: stay up to date, and turn actions off while the store is away. All else works without. */
export const script = `(()=>{'use strict'
const root=document.documentElement,data=root.dataset,started=performance.now(),now=()=>Number(data.now)+performance.now()-started
const spans=[[864e5,'d'],[36e5,'h'],[6e4,'min'],[1e3,'s']]
const told=(at)=>{const away=Math.abs(at-now());const s=spans.find(([ms])=>away>=ms);if(!s)return'now'
const text=Math.floor(away/s[0])+' '+s[1];return at<now()?text+' ago':'in '+text}
const ages=()=>{for(const time of document.querySelectorAll('time[title]')){const text=told(Date.parse(time.dateTime));if(time.textContent!==text)time.textContent=text}}
const away=(sentence,at)=>{const box=document.getElementById('away');if(!box)return
if(sentence)for(const button of document.querySelectorAll('button[data-does]'))button.disabled=true
else if(!data.away)for(const button of document.querySelectorAll('button[data-does]'))button.disabled=false
if(!sentence&&data.away)return refresh(true)
const text=sentence?sentence+' What is shown is what was known '+told(at)+'. Nothing can be done now.':''
if(box.textContent!==text){box.textContent=text;box.hidden=!text}}
let last=performance.now(),busy=false
const typing=()=>document.activeElement&&document.activeElement.closest('main input,main select,main button,main a,.scroll')
const refresh=async(force)=>{if(busy||(!force&&(!data.live||typing()||performance.now()-last<data.live*1e3)))return
busy=true
try{const response=await fetch(location.href,{headers:{accept:'text/html'},redirect:'error'})
if(response.ok){const page=new DOMParser().parseFromString(await response.text(),'text/html'),main=page.querySelector('main')
if(main&&(force||!typing())){document.querySelector('main').replaceWith(main);data.away=page.documentElement.dataset.away||'';every()}}}catch{}
busy=false;last=performance.now()}
const every=()=>{for(const form of document.querySelectorAll('form')){const head=form.querySelector('th .hide'),ticks=[...form.querySelectorAll('td input[type=checkbox]')]
if(!head||ticks.length<2)continue
const all=document.createElement('input');all.type='checkbox';all.setAttribute('aria-label','Choose all')
all.addEventListener('change',()=>{for(const tick of ticks)tick.checked=all.checked});const label=document.createElement('label');label.className='tick';label.append(all);head.replaceWith(label)}}
let source,seen=performance.now(),at=Number(data.now)
const open=()=>{if(document.hidden||source)return
source=new EventSource(data.events)
source.onmessage=(event)=>{const tick=JSON.parse(event.data);at=tick.at||at;seen=performance.now();away(tick.away,at);if(!tick.away)refresh()}
source.onerror=()=>{if(source.readyState===2){source=undefined;setTimeout(open,15e3)}
if(performance.now()-seen>1e4)away('The console does not answer.',at)}}
const shut=()=>{if(source)source.close();source=undefined}
every();ages();setInterval(ages,5e3)
document.addEventListener('visibilitychange',()=>document.hidden?shut():open());addEventListener('pagehide',shut);addEventListener('pageshow',open);open()
const said=document.querySelector('[role=status][tabindex]');if(said)said.focus()})()
`
