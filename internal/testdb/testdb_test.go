package testdb_test

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/readout-dev/readout/internal/testdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testdb.Goroutines()...) }

func TestEachTestHasAMigratedDatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	one, two := testdb.New(t), testdb.New(t)
	if _, err := one.Exec(t.Context(), `create table mark ()`); err != nil {
		t.Fatal(err)
	}
	const query = `select to_regclass('journal') is not null, to_regclass('mark') is not null`
	var journal, mark bool
	if err := two.QueryRow(t.Context(), query).Scan(&journal, &mark); err != nil {
		t.Fatal(err)
	}
	if !journal || mark {
		t.Errorf("the other database has the journal: %v, the first one's table: %v", journal, mark)
	}
}

func TestDatabasesAreDroppedWithTheirTests(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("inner", func(t *testing.T) { name = testdb.New(t).Config().ConnConfig.Database })
	var exists bool
	err := testdb.New(t).QueryRow(t.Context(), `select exists (select from pg_database where datname = $1)`, name).Scan(&exists)
	if err != nil || exists {
		t.Errorf("the database %s of a test that has ended exists: %v (%v)", name, exists, err)
	}
}

func TestServerIsDurable(t *testing.T) {
	t.Parallel()
	var fsync, commit, pages string
	err := testdb.New(t).QueryRow(t.Context(), `
		select current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes')`).
		Scan(&fsync, &commit, &pages)
	if err != nil || fsync != "on" || commit != "on" || pages != "on" {
		t.Errorf("fsync %s, synchronous_commit %s, full_page_writes %s (%v); want all on", fsync, commit, pages, err)
	}
}

// asChild, set in the environment, makes TestChildThatIsKilled the child of the test below.
const asChild = "READOUT_TEST_CHILD"

// TestChildThatIsKilled does nothing in an ordinary run: it takes a database, says its URL and waits to be killed.
func TestChildThatIsKilled(t *testing.T) {
	if os.Getenv(asChild) == "" {
		return
	}
	fmt.Println("URL", testdb.URL(t))
	select {}
}

func TestNothingIsLeftOfAKilledTestBinary(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChildThatIsKilled$")
	cmd.Env = append(os.Environ(), asChild+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var server string
	for lines := bufio.NewScanner(out); server == "" && lines.Scan(); {
		server, _ = strings.CutPrefix(lines.Text(), "URL ")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	u, err := url.Parse(server)
	if err != nil || u.Query().Get("host") == "" {
		t.Fatalf("the child's server is %q", server)
	}
	dir := filepath.Dir(u.Query().Get("host"))
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the folder %s outlives the test binary", dir)
		}
	}
}
