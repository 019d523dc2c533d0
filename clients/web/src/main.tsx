import './style/tokens.css';
import './style/base.css';
import './style/desk.css';
import { render } from 'preact';
import { App, nameTab } from './pages/app';
import { Desk } from './state/desk';
import { ready } from './text/text';
import { dialled } from './wire/session';
import { embedded } from './ui/router';

const desk = new Desk((...args) => fetch(...args), embedded, dialled(location));
nameTab(desk);
void desk.start();
await ready;
render(<App desk={desk} />, document.getElementById('app')!);
