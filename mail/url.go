package mail

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/readout-dev/readout/internal/fault"
)

// server is what the URL of an SMTP server says.
type server struct {
	host        string
	port        int
	user        string
	password    func() string // a function, since no print shows what that returns
	implicitTLS bool
	loopback    bool
}

// CheckURL returns a fault, Invalid, unless text is an SMTPConfig.URL. It holds no part of it.
func CheckURL(text string) error {
	_, err := parseURL(text)
	return err
}

// parseURL never quotes what it is given: it holds a password.
func parseURL(text string) (server, error) {
	u, err := url.Parse(text)
	wrong := fault.New(fault.Invalid, "write smtp://user:password@host:587 or smtps://user:password@host:465, with special characters of the password escaped as %%40 is @")
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return server{}, wrong
	}
	s := server{host: u.Hostname(), user: u.User.Username(), loopback: isLoopback(u.Hostname())}
	switch u.Scheme {
	case "smtp":
		s.port = 587
	case "smtps":
		s.port, s.implicitTLS = 465, true
	default:
		return server{}, wrong
	}
	if u.Port() != "" {
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || port == 0 {
			return server{}, wrong
		}
		s.port = int(port)
	}
	password, _ := u.User.Password()
	if (s.user == "") != (password == "") {
		return server{}, wrong
	}
	s.password = func() string { return password }
	return s, nil
}

// isLoopback reports whether host names this machine by itself, whatever a resolver says.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
