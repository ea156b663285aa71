package job_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/readout-dev/readout/internal/testdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testdb.Goroutines()...) }
