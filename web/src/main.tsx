import { createRoot } from 'react-dom/client';
import 'graphiql/style.css';
import './theme.css';
import { Playground } from './Playground';

const root = document.getElementById('root');
if (!root) throw new Error('the page has no #root');
createRoot(root).render(<Playground />);
