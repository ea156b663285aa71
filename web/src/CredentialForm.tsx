import { useState, type FormEvent } from 'react';
import { begin, pasted } from './session';

/** CredentialForm puts an access token or a key to use that the user already has. */
export function CredentialForm() {
  const [error, setError] = useState('');

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const next = pasted(String(new FormData(event.currentTarget).get('credential')));
    if (next) begin(next);
    else setError('That is neither an access token nor a key.');
  }

  return (
    <form method="post" aria-label="Use a credential" onSubmit={submit}>
      <input
        name="credential"
        type="password"
        required
        autoComplete="off"
        placeholder="Credential (token or key)"
        aria-label="Credential: access token or key"
      />
      <button type="submit">Use</button>
      {error && (
        <span className="error" role="alert">
          {error}
        </span>
      )}
    </form>
  );
}
