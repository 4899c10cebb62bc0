import { render } from 'preact';
import { App } from './app';
import { followLinks } from './router';
import { applyTheme } from './settings';

applyTheme();
followLinks();
render(<App />, document.getElementById('app')!);
