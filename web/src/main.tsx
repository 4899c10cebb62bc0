// The start of the page's script: applies the theme, follows links and renders the app.
import { render } from 'preact';
import { App } from './app';
import { followLinks } from './router';
import { applyTheme } from './settings';

applyTheme();
followLinks();
render(<App />, document.getElementById('app')!);
