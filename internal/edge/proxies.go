package edge

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of the reverse proxies before us, whose word on a client's address is taken. Nil is none. Safe
// for concurrent use.
type Proxies []netip.Prefix

// ParseProxies reads addresses and networks such as 10.0.0.0/8 or ::1, separated by commas. A network that holds every
// address is refused: then each client would say its own.
func ParseProxies(list string) (Proxies, error) {
	var all Proxies
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		network, err := netip.ParsePrefix(item)
		if address, aerr := netip.ParseAddr(item); aerr == nil && address.Zone() == "" {
			address = address.Unmap()
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		switch {
		case err != nil || network.Addr().Is4In6():
			return nil, fmt.Errorf("%q is neither an address nor a network: write 10.0.0.0/8", item)
		case network.Bits() == 0:
			return nil, fmt.Errorf("%s is every address: name those of the proxies", item)
		case network != network.Masked():
			return nil, fmt.Errorf("%s has bits behind its mask: write %s", item, network.Masked())
		}
		all = append(all, network)
	}
	return all, nil
}

func (p Proxies) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(a) })
}

// ClientAddress puts into RemoteAddr where a request comes from: the last address of X-Forwarded-For that is no proxy of
// ours, if one of them sent it, with port 0; else it leaves it be. What stands before that address anybody may have written. Forwarded,
// X-Real-IP and the like are not read: a proxy that writes one header passes the others on as they came.
func (p Proxies) ClientAddress(next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !p.trusted(peer.Addr().Unmap()) {
			next.ServeHTTP(w, r)
			return
		}
		if client := p.client(r.Header.Values("X-Forwarded-For")); client.IsValid() {
			told := *r // not the caller's own
			told.RemoteAddr = netip.AddrPortFrom(client, 0).String()
			r = &told
		}
		next.ServeHTTP(w, r)
	})
}

// client returns the last address that is no proxy's, or the first proxy's where all are; invalid when there is none, or
// when a proxy wrote something else than an address.
func (p Proxies) client(headers []string) (client netip.Addr) {
	for _, header := range slices.Backward(headers) {
		for header != "" {
			last := header
			if comma := strings.LastIndexByte(header, ','); comma >= 0 {
				header, last = header[:comma], header[comma+1:]
			} else {
				header = ""
			}
			a, ok := address(strings.TrimSpace(last))
			if !ok {
				return client
			}
			client = a
			if !p.trusted(a) {
				return client
			}
		}
	}
	return client
}

// address reads an address as proxies write it: some with a port, some with brackets.
func address(text string) (netip.Addr, bool) {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap(), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return a.Unmap(), err == nil
}
