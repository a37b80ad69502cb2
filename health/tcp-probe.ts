// Probe tcp: a connection comes about; for TLS endpoints, the handshake and the verification of the certificate too.
import { openConnection } from './connect.ts';
import { failed, type Probe } from './probe.ts';

export const tcpProbe: Probe = (address, signal) =>
  new Promise((resolve) => {
    openConnection(address, signal, (error, socket) => {
      if (error !== null) {
        resolve(failed(error, false));
        return;
      }
      socket.destroy();
      resolve({ ok: true, reached: true, reason: '' });
    });
  });
