import '@mantine/core/styles.css';
import '@mantine/dates/styles.css';
import '@mantine/notifications/styles.css';
import './tokens.css';
import { createRoot } from 'react-dom/client';
import { loadTexts, startLanguage } from './i18n';
import { preferences } from './session/preferences';
import { findSession } from './session/session';
import { App } from './App';

startLanguage(preferences().language);
void Promise.all([loadTexts('session', 'shared', 'api', 'names'), findSession()]).then(() => {
  createRoot(document.getElementById('root')!).render(<App />);
});
