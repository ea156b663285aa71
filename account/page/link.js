// Posts the token behind the link's # to the endpoint of its kind, when the person says so.
const kinds = {
  verify: ['/auth/verify', 'Is this e-mail address yours?', 'Yes, it is mine', 'Thank you: you can log in now.', 'The password that you registered with'],
  email: ['/auth/verify', 'Use this e-mail address for your account?', 'Yes, use it', 'Thank you: this is your address now.'],
  reset: ['/auth/password/reset', 'Set a new password.', 'Set password', 'Done: log in with your new password.', 'New password (12 characters or more)'],
};
const [kind, token] = location.hash.slice(1).split('=');
history.replaceState(null, '', location.pathname); // out of the address bar, and of what is copied from it

const element = (id) => document.getElementById(id);
if (Object.hasOwn(kinds, kind) && token) {
  const [endpoint, question, button, done, password] = kinds[kind];
  const form = element('form');
  element('question').textContent = question;
  element('button').textContent = button;
  element('password').hidden = !password;
  element('which').textContent = password ?? '';
  form.password.required = Boolean(password);
  form.password.autocomplete = kind === 'reset' ? 'new-password' : 'current-password';
  element('answer').textContent = '';
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const body = password ? { token, password: form.password.value } : { token };
    const response = await fetch(endpoint, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    });
    form.hidden = response.ok;
    element('answer').textContent = response.ok ? done : (await response.json()).detail;
  });
}
