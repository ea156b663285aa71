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
// secret, which a list of processes would show. docs/configuration.md and .env.example are made from these tags.
type Config struct {
	Addr    string `env:"READOUT_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on. Port 0 takes a free one; an empty host is every interface."`
	DataDir string `env:"READOUT_DATA_DIR" placeholder:"DIR" help:"Folder of the embedded PostgreSQL and of generated secrets. Default: the system's folder for such data."`

	DatabaseURL string `kong:"-" env:"READOUT_DATABASE_URL" secret:"" help:"PostgreSQL to use, 15 or newer, as postgres://user:password@host:port/database. Empty: an embedded one in the data folder."`
	JWTSecret   string `kong:"-" env:"READOUT_JWT_SECRET" secret:"" help:"Secret that signs access tokens, 32 bytes or more; make one with: openssl rand -base64 32. Empty, with the embedded PostgreSQL: one is made and kept in the data folder."`

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
	c.DatabaseURL = os.Getenv("READOUT_DATABASE_URL")
	c.JWTSecret = os.Getenv("READOUT_JWT_SECRET")
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
			s.flag = "--" + kebab(f.Name)
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
