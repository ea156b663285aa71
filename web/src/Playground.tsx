import { GraphiQL } from 'graphiql';
import { useEffect, useMemo, type KeyboardEvent } from 'react';
import { Bar } from './Bar';
import examples from './examples.graphql?raw';
import { link } from './link';
import { session } from './session';
import { useStore } from './store';

/** Without a credential the server answers nothing, so nothing is asked: not even for the schema. */
const WITHOUT_SCHEMA = { schema: null };

const TABS = [{ query: examples }];

/** Playground is the page: the bar with the credential above, GraphiQL below. */
export function Playground() {
  const credential = useStore(session)?.credential;
  // A new fetcher makes GraphiQL fetch the schema again, as the new credential sees it.
  const { fetcher, close } = useMemo(() => link(credential), [credential]);
  useEffect(() => close, [close]);

  return (
    <>
      <Bar />
      <main onKeyDownCapture={leaveEditor}>
        <GraphiQL
          fetcher={fetcher}
          {...(credential ? {} : WITHOUT_SCHEMA)}
          defaultTabs={TABS}
          defaultQuery=""
          isHeadersEditorEnabled={false}
          shouldPersistHeaders={false}
        >
          <GraphiQL.Logo>
            <></>
          </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}

/** leaveEditor keeps Tab from the editors, which would indent with it and never let the keyboard go. */
function leaveEditor(event: KeyboardEvent): void {
  const choosing = document.querySelector('.CodeMirror-hints'); // Tab takes a completion
  if (event.key === 'Tab' && !choosing) event.stopPropagation();
}
