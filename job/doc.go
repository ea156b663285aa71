// Package job does work later that a transaction of the entities has asked for: sending a mail, tidying up. It is River, set
// up for Readout: a job is a row that commits with what caused it, is done at least once by one of the replicas, and is tried
// again when it fails or its process dies. It owns no kind of job; those who need one bring the arguments and the worker.
//
// Arguments are stored: they hold ids and never secrets. Jobs are for what is rare; readings never pass through here.
//
// Start reading at New and Queue.Add; keeper.go says how it is quiet when there is nothing to do.
package job
