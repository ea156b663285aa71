package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/store"
)

// Config is all that can be set of a server: each setting is an environment variable, and a flag too unless it is a
// secret, which a list of processes would show; a secret may be in a file that its variable with _FILE names.
// docs/configuration.md and .env.example are made from these tags.
type Config struct {
	Addr    string `env:"READOUT_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on. Port 0 takes a free one; an empty host is every interface."`
	DataDir string `env:"READOUT_DATA_DIR" placeholder:"DIR" help:"Folder of the embedded PostgreSQL and of generated secrets. Default: the system's folder for such data."`

	DatabaseURL string `kong:"-" env:"READOUT_DATABASE_URL" secret:"" help:"PostgreSQL to use, 15 or newer, as postgres://user:password@host:port/database. Empty: an embedded one in the data folder."`
	JWTSecret   string `kong:"-" env:"READOUT_JWT_SECRET" secret:"" help:"Secret that signs access tokens, 32 bytes or more; make one with: openssl rand -base64 32. Empty, with the embedded PostgreSQL: one is made and kept in the data folder."`

	JWTKeys    string `kong:"-" env:"READOUT_JWT_KEYS" secret:"" help:"Keys that sign access tokens in place of READOUT_JWT_SECRET, which then signs cursors alone: private keys in PEM, or a JWK set. The first signs, all verify. RSA is used with RS256, P-256 with ES256, Ed25519 with EdDSA, a secret with HS256."`
	JWTIssuers string `kong:"-" env:"READOUT_JWT_ISSUERS" secret:"" help:"Foreign issuers whose tokens are taken too, as a JSON object or an array of them: see docs/tokens.md."`

	SMTPURL      string `kong:"-" env:"READOUT_SMTP_URL" secret:"" help:"Server that mail is sent by, as smtp://user:password@host:587 (STARTTLS, which is required unless the host is loopback) or smtps://user:password@host:465."`
	MailFrom     string `env:"READOUT_MAIL_FROM" placeholder:"ADDRESS" help:"Whom mail is from: readout@example.com or Readout <readout@example.com>. Needed with READOUT_SMTP_URL."`
	Verification string `env:"READOUT_VERIFICATION" default:"on" enum:"on,off" help:"Whether people prove their e-mail addresses before they log in: on, which needs READOUT_SMTP_URL, or off, for trials."`
	PublicURL    string `env:"READOUT_PUBLIC_URL" placeholder:"URL" help:"What people reach this server at, and links in mails begin with, such as https://readout.example.com. Needed with READOUT_SMTP_URL; the demo takes its own address."`

	TLSCert        string `name:"tls-cert" env:"READOUT_TLS_CERT" placeholder:"FILE" help:"Certificate for TLS, in PEM, its issuers behind it; READOUT_TLS_KEY goes with it. It is read again when it changes. Empty: plain HTTP, for this machine or a reverse proxy."`
	TLSKey         string `name:"tls-key" env:"READOUT_TLS_KEY" placeholder:"FILE" help:"Private key of READOUT_TLS_CERT, in PEM. A file that everybody may read is refused."`
	CORSOrigins    string `name:"cors-origins" env:"READOUT_CORS_ORIGINS" placeholder:"ORIGINS" help:"Other origins whose pages may call this server with a bearer token, such as https://app.example.com, separated by commas. Cookies are for pages of its own origin alone."`
	TrustedProxies string `env:"READOUT_TRUSTED_PROXIES" placeholder:"NETWORKS" help:"Reverse proxies before this server, as addresses or networks such as 10.0.0.0/8, separated by commas: what they write into X-Forwarded-For is taken for the client's address, in limits and logs."`

	MetricsToken string `kong:"-" env:"READOUT_METRICS_TOKEN" secret:"" help:"Token that /metrics wants as Authorization: Bearer, 16 bytes or more. Empty: /metrics is open to whoever reaches it."`

	LimitWrong    int `env:"READOUT_LIMIT_WRONG" default:"300" placeholder:"N" help:"Wrong keys and tokens that one address (of IPv6: a /64) may send a minute; beyond, they are answered with 429. 0: any number."`
	LimitRequests int `env:"READOUT_LIMIT_REQUESTS" default:"5000" placeholder:"N" help:"Requests with readings that one key may send a second, those of a minute at once; beyond, 429. 0: any number."`
	LimitReadings int `env:"READOUT_LIMIT_READINGS" default:"1000000" placeholder:"N" help:"Readings that one key may send a second, those of a minute at once; beyond, 429. 0: any number."`
	LimitQueries  int `env:"READOUT_LIMIT_QUERIES" default:"1000000" placeholder:"N" help:"What queries and mutations of one person, or of all keys of a project, may cost a second, that of a minute at once: each counts 10 and the fields that it can answer. Beyond, TOO_MANY_REQUESTS. 0: anything."`

	MaxConnections int           `env:"READOUT_MAX_CONNECTIONS" default:"16" placeholder:"N" help:"Connections to PostgreSQL at most."`
	PackEvery      time.Duration `env:"READOUT_PACK_EVERY" default:"1m" placeholder:"DURATION" help:"How long readings stay unpacked in the journal, and in memory, at most: 1s to 1h."`
	MaxUnpacked    int           `env:"READOUT_MAX_UNPACKED" default:"1000000" placeholder:"N" help:"Unpacked readings, of all projects, from which on packing does not wait: each takes about 20 bytes of memory. 10000 to 100000000."`
	TokenTTL       time.Duration `env:"READOUT_TOKEN_TTL" default:"15m" placeholder:"DURATION" help:"How long an access token is good for: 1m to 24h."`
	ShutdownGrace  time.Duration `env:"READOUT_SHUTDOWN_GRACE" default:"20s" placeholder:"DURATION" help:"How long requests under way may take when the server is told to stop."`
	LogLevel       string        `env:"READOUT_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"What is logged: debug, info, warn or error."`
}

// AfterApply is called by kong when flags and variables are in: it reads the secrets, fills in what depends on the system,
// and checks all of it.
func (c *Config) AfterApply() error {
	if err := c.readSecrets(os.Getenv); err != nil {
		return err
	}
	if c.DataDir == "" && c.DatabaseURL == "" { // else nothing is kept there, and a container may have no such folder
		dir, err := store.DefaultDir(os.Getenv)
		if err != nil {
			return err
		}
		c.DataDir = dir
	}
	if c.DataDir != "" {
		dir, err := filepath.Abs(c.DataDir)
		if err != nil {
			return fmt.Errorf("READOUT_DATA_DIR (--data-dir): %w", err)
		}
		c.DataDir = dir
	}
	return c.Validate()
}

// Validate returns every problem of the configuration, joined: each names its variable and never a secret's value.
func (c *Config) Validate() error {
	var problems []error
	wrong := func(variable, format string, args ...any) {
		problems = append(problems, fmt.Errorf(variable+": "+format, args...))
	}
	_, port, err := net.SplitHostPort(c.Addr)
	if _, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil {
		wrong("READOUT_ADDR (--addr)", "write host:port, such as 127.0.0.1:8080")
	}
	if c.DatabaseURL != "" && !strings.HasPrefix(c.DatabaseURL, "postgres://") && !strings.HasPrefix(c.DatabaseURL, "postgresql://") {
		wrong("READOUT_DATABASE_URL", "write postgres://user:password@host:port/database")
	}
	if c.JWTSecret == "" && c.DatabaseURL != "" {
		wrong("READOUT_JWT_SECRET", "is needed with READOUT_DATABASE_URL: make one with openssl rand -base64 32, and give every replica the same")
	}
	if c.JWTSecret != "" {
		if err := auth.CheckSecret([]byte(c.JWTSecret)); err != nil {
			wrong("READOUT_JWT_SECRET", "%w", err)
		}
	}
	if err := checkTokens(*c); err != nil {
		problems = append(problems, err)
	}
	c.validateMail(wrong)
	c.boundary(wrong)
	if c.MaxConnections < 4 || c.MaxConnections > 1000 {
		wrong("READOUT_MAX_CONNECTIONS (--max-connections)", "is between 4 and 1000")
	}
	if c.PackEvery < time.Second || c.PackEvery > time.Hour {
		wrong("READOUT_PACK_EVERY (--pack-every)", "is between 1s and 1h")
	}
	if c.MaxUnpacked < 10_000 || c.MaxUnpacked > 100_000_000 {
		wrong("READOUT_MAX_UNPACKED (--max-unpacked)", "is between 10000 and 100000000")
	}
	if c.TokenTTL < time.Minute || c.TokenTTL > 24*time.Hour {
		wrong("READOUT_TOKEN_TTL (--token-ttl)", "is between 1m and 24h")
	}
	if c.ShutdownGrace < 0 || c.ShutdownGrace > 10*time.Minute {
		wrong("READOUT_SHUTDOWN_GRACE (--shutdown-grace)", "is between 0s and 10m")
	}
	if len(problems) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%s", errors.Join(problems...))
}

// setting is one row of the configuration's description.
type setting struct {
	env, flag, byDefault, help, value string
	secret                            bool
}

// settings describes c, field by field.
func (c Config) settings() []setting {
	var all []setting
	v := reflect.ValueOf(c)
	for i, f := range reflect.VisibleFields(v.Type()) {
		_, secret := f.Tag.Lookup("secret")
		s := setting{
			env: f.Tag.Get("env"), byDefault: f.Tag.Get("default"), help: f.Tag.Get("help"),
			value: fmt.Sprint(v.Field(i).Interface()), secret: secret,
		}
		if !secret {
			s.flag = "--" + cmp.Or(f.Tag.Get("name"), kebab(f.Name))
		}
		all = append(all, s)
	}
	return all
}

// kebab turns a field's name into its flag's, as kong does.
func kebab(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' && !(name[i-1] >= 'A' && name[i-1] <= 'Z') {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// masked is the value as it may be shown.
func (s setting) masked() string {
	if s.secret && s.value != "" {
		return "********"
	}
	return cmp.Or(s.value, "(empty)")
}

// clientVariables are read by commands that talk to a server.
var clientVariables = []string{"READOUT_URL", "READOUT_KEY"}

// checkEnvironment refuses variables that look like ours and are not: a misspelt setting would be ignored in silence.
func checkEnvironment(environ []string) error {
	known := map[string]bool{}
	for _, s := range (Config{}).settings() {
		known[s.env] = true
		known[s.env+fileSuffix] = known[s.env+fileSuffix] || s.secret
	}
	for _, name := range clientVariables {
		known[name] = true
	}
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "READOUT_") && !known[name] {
			return fmt.Errorf("the environment variable %s is not one of Readout's: see `readout config`", name)
		}
	}
	return nil
}
