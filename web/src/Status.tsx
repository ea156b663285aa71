import { session, type Session } from './session';
import { answer, live, type Answer, type Live } from './status';
import { useStore } from './store';

/** Status says in one line who is connected, what the server made of it, and how the live connection is. */
export function Status() {
  const { tone, text } = inWords(useStore(session), useStore(answer));
  const socket = useStore(live);
  return (
    <p className="status" role="status">
      <span className="dot" data-tone={tone} aria-hidden="true" />
      <span>{text}</span>
      {socket.state !== 'idle' && (
        <span className="live" data-state={socket.state}>
          {liveInWords(socket)}
        </span>
      )}
    </p>
  );
}

function inWords(current: Session | null, said: Answer): { tone: 'none' | 'good' | 'bad'; text: string } {
  if (said.state === 'failed') return { tone: 'bad', text: said.message };
  if (!current) return { tone: 'none', text: 'Not logged in' };
  switch (said.state) {
    case 'refused':
      return { tone: 'bad', text: `Refused ${current.how}: ${said.message}` };
    case 'none':
      return { tone: 'none', text: `Connecting ${current.how}…` };
    case 'ok':
      return { tone: 'good', text: `Connected ${current.how}${until(current)}` };
  }
}

function liveInWords(socket: Live): string {
  switch (socket.state) {
    case 'lost':
      return socket.message;
    case 'connecting':
      return 'live: connecting…';
    default:
      return 'live';
  }
}

function until({ expiresAt }: Session): string {
  const at = new Date(expiresAt ?? NaN);
  return Number.isNaN(at.getTime()) ? '' : ` until ${at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`;
}
