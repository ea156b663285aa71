import { CredentialForm } from './CredentialForm';
import { LoginForm } from './LoginForm';
import { begin, session } from './session';
import { Status } from './Status';
import { useStore } from './store';

const DOCS = 'https://github.com/readout-dev/readout/tree/main/docs';

/** Bar shows who is connected, or the two ways in. */
export function Bar() {
  const current = useStore(session);
  return (
    <header className="bar">
      <h1>
        <img src={`${import.meta.env.BASE_URL}icon.svg`} alt="" width="22" height="22" />
        Readout
      </h1>
      <a href={DOCS} target="_blank" rel="noreferrer">
        Docs
      </a>
      {!current && (
        <div className="ways">
          <LoginForm />
          <span className="or">or</span>
          <CredentialForm />
        </div>
      )}
      <Status />
      {current && (
        <button type="button" onClick={() => begin(null)}>
          Log out
        </button>
      )}
    </header>
  );
}
