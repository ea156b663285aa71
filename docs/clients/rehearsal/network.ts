// A network that breaks when it is told to.

import net from 'node:net';

export class Network {
  private readonly sockets = new Set<net.Socket>();
  private readonly listener: net.Server;
  private port = 0;
  private last = '';
  /** How many connections there were. */
  connections = 0;

  private readonly server: URL;

  constructor(server: URL) {
    this.server = server;
    this.listener = net.createServer((near) => this.pass(near));
  }

  async up(): Promise<void> {
    await new Promise<void>((resolve) => this.listener.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.listener.address() as net.AddressInfo).port;
  }

  /** Breaks all connections, and refuses others. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.listener.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Whether the server has said this of late. */
  heard(text: string): boolean {
    return this.last.includes(text);
  }

  private pass(near: net.Socket): void {
    this.connections++;
    const far = net.connect(Number(this.server.port), this.server.hostname);
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      this.sockets.add(socket);
      socket.on('error', () => {}); // a close follows
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
    far.on('data', (bytes) => {
      this.last = this.last.slice(-100_000) + bytes.toString('latin1');
    });
  }
}
